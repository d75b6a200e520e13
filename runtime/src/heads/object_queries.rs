use super::detections::ObjectDetections;
use super::objects::{CLASSES, is_same_object, object_of};
use super::query_set::{CandidateFinder, QuerySet};
use super::raster::DecodeError;
use crate::manifest::ObjectQueries;

const X: usize = 0;
const Y: usize = 1;

/// Decodes sets of boxes: scores `[queries, 8]` and boxes `[queries, 17]`.
///
/// Scores are logits of the eight classes. Columns of a box: x, y, z of its centre (m, ego); ln
/// length, width, height; sin and cos of yaw; velocity x, y; yaw rate; ln sigma of x, y, yaw,
/// velocity x, y, size: the channels of the dense map after the logits, with the position itself in
/// place of the offset.
#[derive(Debug)]
pub struct ObjectQueryDecoder {
    queries: ObjectQueries,
    candidates: CandidateFinder,
}

impl ObjectQueryDecoder {
    /// A decoder with a confidence threshold for each of the eight classes.
    pub fn new(queries: &ObjectQueries, thresholds: &[f32]) -> Self {
        Self {
            queries: *queries,
            candidates: CandidateFinder::new(thresholds),
        }
    }

    /// Finds the objects of one set, strongest first; those outside of the range are left out, and
    /// of two that stand for one thing the stronger one is taken.
    ///
    /// # Errors
    /// A tensor has another size, or holds a number that is not finite; `out` is empty then.
    pub fn decode_into(
        &mut self,
        scores: &[f32],
        boxes: &[f32],
        out: &mut ObjectDetections,
    ) -> Result<(), DecodeError> {
        out.clear();
        let ObjectQueries { count, range } = self.queries;
        let sizes = [CLASSES, ObjectQueries::COLUMNS];
        let set = QuerySet::new(scores, boxes, count, sizes)?;
        for (confidence, candidate) in self.candidates.find(&set) {
            let values = set.values(candidate.query);
            let centre = [values[X], values[Y]];
            if !range.contains(centre) {
                continue;
            }
            let object = object_of(candidate.class, confidence, centre, |channel| {
                values[channel - CLASSES]
            });
            if out.iter().any(|stronger| is_same_object(stronger, &object)) {
                continue;
            }
            if out.push(object).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
