use super::ranked::Ranked;
use super::raster::{DecodeError, is_finite, logit, sigmoid};
use crate::simd::Simd;

/// Queries that are looked at in one set; more than a frame can hold elements.
const CANDIDATE_CAPACITY: usize = 256;

/// A query that reaches the threshold of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Candidate {
    pub query: usize,
    pub class: usize,
}

/// A query set that has been checked: finite logits and values for each query.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuerySet<'a> {
    scores: &'a [f32],
    values: &'a [f32],
    classes: usize,
    columns: usize,
}

impl<'a> QuerySet<'a> {
    /// Checks sizes and finiteness of scores `[count, classes]` and values `[count, columns]`.
    pub(super) fn new(
        scores: &'a [f32],
        values: &'a [f32],
        count: usize,
        [classes, columns]: [usize; 2],
    ) -> Result<Self, DecodeError> {
        for (found, expected) in [
            (scores.len(), count * classes),
            (values.len(), count * columns),
        ] {
            if found != expected {
                return Err(DecodeError::Size { expected, found });
            }
        }
        for (tensor, width, first) in [(scores, classes, 0), (values, columns, classes)] {
            if !is_finite(Simd::Base, tensor) {
                let place = tensor.iter().position(|value| !value.is_finite());
                let place = place.unwrap_or_default();
                return Err(DecodeError::QueryNotFinite {
                    query: place / width,
                    column: first + place % width,
                });
            }
        }
        Ok(Self {
            scores,
            values,
            classes,
            columns,
        })
    }

    /// What a query stands for.
    pub(super) fn values(&self, query: usize) -> &'a [f32] {
        &self.values[query * self.columns..(query + 1) * self.columns]
    }
}

/// Finds the queries that stand for something.
#[derive(Debug)]
pub(super) struct CandidateFinder {
    /// Threshold of each class as a logit.
    thresholds: Vec<f32>,
    candidates: Ranked<Candidate, CANDIDATE_CAPACITY>,
}

impl CandidateFinder {
    /// With one confidence threshold for each class.
    pub(super) fn new(thresholds: &[f32]) -> Self {
        Self {
            thresholds: thresholds.iter().copied().map(logit).collect(),
            candidates: Ranked::new(),
        }
    }

    /// Number of classes.
    pub(super) fn classes(&self) -> usize {
        self.thresholds.len()
    }

    /// The strongest candidates, as (confidence, candidate), strongest first.
    ///
    /// A query stands for its strongest class at or above that class's threshold, the first one of
    /// equals; of equal queries the first one comes first.
    pub(super) fn find(&mut self, set: &QuerySet<'_>) -> impl Iterator<Item = (f32, Candidate)> {
        self.candidates.clear();
        for (query, scores) in set.scores.chunks_exact(set.classes).enumerate() {
            let mut best: Option<(f32, usize)> = None;
            for (class, (&score, &threshold)) in scores.iter().zip(&self.thresholds).enumerate() {
                if score >= threshold && best.is_none_or(|(strongest, _)| score > strongest) {
                    best = Some((score, class));
                }
            }
            if let Some((score, class)) = best {
                self.candidates.offer(score, Candidate { query, class });
            }
        }
        self.candidates
            .iter()
            .map(|(logit, candidate)| (sigmoid(logit), candidate))
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, CandidateFinder, QuerySet};
    use crate::heads::DecodeError;
    use crate::heads::raster::logit;

    fn found(scores: &[f32], thresholds: &[f32]) -> Vec<Candidate> {
        let count = scores.len() / thresholds.len();
        let values = vec![0.0; count];
        let set = QuerySet::new(scores, &values, count, [thresholds.len(), 1]).expect("it fits");
        let mut finder = CandidateFinder::new(thresholds);
        finder.find(&set).map(|(_, candidate)| candidate).collect()
    }

    #[test]
    fn a_query_stands_for_the_strongest_class_that_reaches_its_threshold() {
        // Query 0: class 0 is stronger but below its own threshold. Query 1: a tie. Query 2: nothing.
        let scores = [0.6, 0.5, 0.9, 0.9, 0.1, 0.2].map(logit);
        let candidates = found(&scores, &[0.7, 0.4]);
        let expected = [(1, 0), (0, 1)].map(|(query, class)| Candidate { query, class });
        assert_eq!(candidates, expected);
    }

    #[test]
    fn wrong_sizes_and_numbers_that_are_not_finite_are_named() {
        let (scores, mut values) = ([0.0; 4], [0.0; 6]);
        let of = |scores: &[f32], values: &[f32]| QuerySet::new(scores, values, 2, [2, 3]).err();
        assert_eq!(of(&scores, &values), None);
        let size = |expected, found| Some(DecodeError::Size { expected, found });
        assert_eq!(of(&scores[..3], &values), size(4, 3));
        assert_eq!(of(&scores, &values[..5]), size(6, 5));
        values[4] = f32::NAN;
        let bad = DecodeError::QueryNotFinite {
            query: 1,
            column: 3,
        };
        assert_eq!(of(&scores, &values), Some(bad));
        let bad = DecodeError::QueryNotFinite {
            query: 0,
            column: 1,
        };
        assert_eq!(of(&[0.0, f32::INFINITY, 0.0, 0.0], &values), Some(bad));
    }

    #[test]
    fn the_strongest_of_very_many_queries_are_kept() {
        let scores: Vec<f32> = (0..4096).map(|k| (k * 31 % 4096) as f32 * 0.001).collect();
        let candidates = found(&scores, &[0.5]);
        assert_eq!(candidates.len(), 256);
        assert!(candidates.iter().all(|c| scores[c.query] >= 3.84));
    }
}
