//! Precision over recall, and the two ways of integrating it that the scores use.

/// One prediction after matching, with the score that ranks it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Confidence; higher ranks first.
    pub score: f64,
    /// True positive, else false positive.
    pub is_true: bool,
}

/// Sorts by falling score; equal scores keep their order.
pub fn rank(verdicts: &mut [Verdict]) {
    verdicts.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// Precision and recall after each prediction of a ranked list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// True positives over all ground truth so far.
    pub recall: Vec<f64>,
    /// True positives over predictions so far.
    pub precision: Vec<f64>,
    /// Score of each prediction.
    pub score: Vec<f64>,
}

impl Curve {
    /// The curve of `ranked` against `truth_count` elements of ground truth.
    pub fn new(ranked: &[Verdict], truth_count: usize) -> Self {
        let mut curve = Self::default();
        let mut true_count = 0_usize;
        for (place, verdict) in ranked.iter().enumerate() {
            true_count += usize::from(verdict.is_true);
            curve
                .recall
                .push(true_count as f64 / truth_count.max(1) as f64);
            curve.precision.push(true_count as f64 / (place + 1) as f64);
            curve.score.push(verdict.score);
        }
        curve
    }

    /// The lowest score down to which precision is at least `precision`; `None` where it never is.
    pub fn score_at_precision(&self, precision: f64) -> Option<f64> {
        let last = self
            .precision
            .iter()
            .rposition(|&value| value >= precision)?;
        Some(self.score[last])
    }
}

/// Area under the precision envelope that falls with recall (MapTR's average precision).
///
/// Zero without predictions or without ground truth.
pub fn envelope_average_precision(ranked: &[Verdict], truth_count: usize) -> f64 {
    if truth_count == 0 {
        return 0.0;
    }
    let Curve {
        recall,
        mut precision,
        ..
    } = Curve::new(ranked, truth_count);
    for k in (1..precision.len()).rev() {
        precision[k - 1] = precision[k - 1].max(precision[k]);
    }
    let mut area = 0.0;
    let mut previous = 0.0;
    for (recall, precision) in recall.iter().zip(&precision) {
        area += (recall - previous) * precision;
        previous = *recall;
    }
    area
}

/// Linear interpolation of samples whose abscissae do not fall.
///
/// Left of the first abscissa it gives `left`, right of the last `right`; where abscissae are
/// equal the last of them rules, as in numpy's `interp`.
pub fn interpolate(x: f64, abscissae: &[f64], ordinates: &[f64], left: f64, right: f64) -> f64 {
    let above = abscissae.partition_point(|&a| a <= x);
    if above == 0 {
        return left;
    }
    let below = above - 1;
    if above == abscissae.len() {
        return if abscissae[below] == x {
            ordinates[below]
        } else {
            right
        };
    }
    let slope = (ordinates[above] - ordinates[below]) / (abscissae[above] - abscissae[below]);
    ordinates[below] + slope * (x - abscissae[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(pattern: &str) -> Vec<Verdict> {
        pattern
            .bytes()
            .enumerate()
            .map(|(k, byte)| Verdict {
                score: 1.0 - 0.01 * k as f64,
                is_true: byte == b'1',
            })
            .collect()
    }

    #[test]
    fn area_of_a_hand_computed_curve() {
        // Recall 1/4 at precision 1, 2/4 at 2/3 (envelope 3/4), 3/4 at 3/4.
        let area = envelope_average_precision(&verdicts("1011"), 4);
        assert!((area - (0.25 + 0.25 * 0.75 + 0.25 * 0.75)).abs() < 1e-12);
        assert_eq!(envelope_average_precision(&[], 3), 0.0);
        assert_eq!(envelope_average_precision(&verdicts("00"), 0), 0.0);
    }

    #[test]
    fn interpolation_takes_the_last_of_equal_abscissae() {
        let x = [0.2, 0.4, 0.4, 0.8];
        let y = [1.0, 0.5, 0.25, 0.75];
        assert_eq!(interpolate(0.1, &x, &y, 9.0, 7.0), 9.0);
        assert_eq!(interpolate(0.4, &x, &y, 9.0, 7.0), 0.25);
        assert!((interpolate(0.6, &x, &y, 9.0, 7.0) - 0.5).abs() < 1e-12);
        assert_eq!(interpolate(0.8, &x, &y, 9.0, 7.0), 0.75);
        assert_eq!(interpolate(0.81, &x, &y, 9.0, 7.0), 7.0);
        assert_eq!(interpolate(0.5, &[], &[], 9.0, 7.0), 9.0);
    }

    #[test]
    fn the_score_at_half_precision_is_the_lowest_one_that_holds_it() {
        let curve = Curve::new(&verdicts("1001100000"), 5);
        assert_eq!(curve.score_at_precision(0.5), Some(curve.score[5]));
        assert_eq!(
            Curve::new(&verdicts("000"), 5).score_at_precision(0.5),
            None
        );
    }
}
