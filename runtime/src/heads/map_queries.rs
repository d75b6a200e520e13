//! Map elements as a set of point lists: lines as they are, crosswalks as the rectangle around their
//! points ([`rectangle`]), stop lines as the straight piece through theirs ([`straight`]).

mod lines;
mod rectangle;
mod straight;

use heapless::Vec;

use super::crosswalks::is_same as is_same_crosswalk;
use super::detections::{CrosswalkDetection, Detections, LaneDetection, StopLineDetection};
use super::lanes::{LEAST_LENGTH_M, Polyliner, length_of};
use super::query_set::{CandidateFinder, QuerySet};
use super::raster::DecodeError;
use super::stop_lines::is_same as is_same_stop_line;
use crate::manifest::{
    HeadForm, HeadKind, MapElement, MapQueries, PointCoordinates, PointDimensions,
    QUERY_POINT_CAPACITY,
};
use lines::{inside_run, is_same_line};
use rectangle::rectangle_around;
use straight::straight_through;

/// Narrower rectangles are no crosswalks.
const LEAST_CROSSWALK_M: f32 = 0.5;
/// Shorter pieces are no stop lines.
const LEAST_STOP_LINE_M: f32 = 0.5;

/// The points of one query in the ego frame.
type Points = Vec<[f32; 3], QUERY_POINT_CAPACITY>;

/// Decodes sets of map elements: scores `[queries, classes]` (logits) and points `[queries, points,
/// 2 or 3]` (x, y and perhaps z).
///
/// The manifest says what each class is, and whether x and y are metres or run from 0 to 1 over the
/// head's range; z is in metres, 0 where there is none. Heads of this form tell no deviations: the
/// manifest's own, as they were measured, are passed on.
#[derive(Debug)]
pub struct MapQueryDecoder {
    queries: MapQueries,
    /// The lists that it fills.
    finds: Box<[HeadKind]>,
    candidates: CandidateFinder,
    points: Points,
    polyliner: Polyliner,
}

impl MapQueryDecoder {
    /// A decoder with a confidence threshold for each class.
    pub fn new(queries: &MapQueries, thresholds: &[f32]) -> Self {
        Self {
            queries: queries.clone(),
            finds: HeadForm::MapQueries(queries.clone()).finds().into(),
            candidates: CandidateFinder::new(thresholds),
            points: Points::new(),
            polyliner: Polyliner::new(),
        }
    }

    /// Finds the elements of one set, strongest first in each list; of two that stand for one thing
    /// the stronger one is taken.
    ///
    /// Lines are cut to their longest part inside of the range and resampled as those of dense
    /// heads. Crosswalks and stop lines count when their centre lies in the range.
    ///
    /// # Errors
    /// A tensor has another size, or holds a number that is not finite; the lists that this head
    /// fills are empty then.
    pub fn decode_into(
        &mut self,
        scores: &[f32],
        points: &[f32],
        out: &mut Detections,
    ) -> Result<(), DecodeError> {
        self.clear(out);
        let columns = self.queries.points * self.queries.dimensions.count();
        let sizes = [self.candidates.classes(), columns];
        let set = QuerySet::new(scores, points, self.queries.count, sizes)?;
        for (confidence, candidate) in self.candidates.find(&set) {
            read_points(&self.queries, set.values(candidate.query), &mut self.points);
            let sigma_m = self.queries.sigma_m[candidate.class];
            match self.queries.elements[candidate.class] {
                MapElement::Line { marking, colour } => {
                    let mut lane = LaneDetection {
                        marking,
                        colour,
                        confidence,
                        sigma_lateral_m: sigma_m,
                        ..LaneDetection::default()
                    };
                    let inside = inside_run(&self.points, &self.queries.range);
                    self.polyliner.draw(inside, &mut lane);
                    take_line(lane, out);
                }
                MapElement::Crosswalk => {
                    take_crosswalk(&self.queries, &self.points, [confidence, sigma_m], out);
                }
                MapElement::StopLine => {
                    take_stop_line(&self.queries, &self.points, [confidence, sigma_m], out);
                }
                MapElement::Ignored => {}
            }
        }
        Ok(())
    }

    fn clear(&self, out: &mut Detections) {
        for kind in &self.finds {
            match kind {
                HeadKind::Objects => out.objects.clear(),
                HeadKind::Lanes => out.lanes.clear(),
                HeadKind::Arrows => out.arrows.clear(),
                HeadKind::Crosswalks => out.crosswalks.clear(),
                HeadKind::StopLines => out.stop_lines.clear(),
            }
        }
    }
}

/// The points of a query in metres of the ego frame.
fn read_points(queries: &MapQueries, values: &[f32], out: &mut Points) {
    let range = &queries.range;
    let place = |value: f32, least_m: f64, most_m: f64| match queries.coordinates {
        PointCoordinates::Metres => value,
        PointCoordinates::Normalised => least_m as f32 + value * (most_m - least_m) as f32,
    };
    out.clear();
    let points = values.chunks_exact(queries.dimensions.count());
    // The manifest allows no more points than the list holds.
    out.extend(points.take(QUERY_POINT_CAPACITY).map(|point| {
        [
            place(point[0], range.x_min_m, range.x_max_m),
            place(point[1], range.y_min_m, range.y_max_m),
            match queries.dimensions {
                PointDimensions::Two => 0.0,
                PointDimensions::Three => point[2],
            },
        ]
    }));
}

fn take_line(lane: LaneDetection, out: &mut Detections) {
    let is_line = length_of(lane.points()) >= LEAST_LENGTH_M;
    if is_line
        && !out
            .lanes
            .iter()
            .any(|stronger| is_same_line(stronger, &lane))
    {
        // A full list has the strongest lines already.
        let _ = out.lanes.push(lane);
    }
}

fn take_crosswalk(
    queries: &MapQueries,
    points: &[[f32; 3]],
    [confidence, sigma_m]: [f32; 2],
    out: &mut Detections,
) {
    let rectangle = rectangle_around(points)
        .filter(|found| found.width_m >= LEAST_CROSSWALK_M)
        .filter(|found| {
            queries
                .range
                .contains([found.centre_m[0], found.centre_m[1]])
        });
    let Some(rectangle) = rectangle else { return };
    let crosswalk = CrosswalkDetection {
        confidence,
        position_m: rectangle.centre_m,
        theta_rad: rectangle.theta_rad,
        length_m: rectangle.length_m,
        width_m: rectangle.width_m,
        sigma_position_m: sigma_m,
    };
    if !out
        .crosswalks
        .iter()
        .any(|stronger| is_same_crosswalk(stronger, &crosswalk))
    {
        // A full list has the strongest crosswalks already.
        let _ = out.crosswalks.push(crosswalk);
    }
}

fn take_stop_line(
    queries: &MapQueries,
    points: &[[f32; 3]],
    [confidence, sigma_m]: [f32; 2],
    out: &mut Detections,
) {
    let piece = straight_through(points)
        .filter(|found| found.length_m >= LEAST_STOP_LINE_M)
        .filter(|found| {
            queries
                .range
                .contains([found.centre_m[0], found.centre_m[1]])
        });
    let Some(piece) = piece else { return };
    let line = StopLineDetection {
        confidence,
        position_m: piece.centre_m,
        theta_rad: piece.theta_rad,
        length_m: piece.length_m,
        sigma_position_m: sigma_m,
    };
    if !out
        .stop_lines
        .iter()
        .any(|stronger| is_same_stop_line(stronger, &line))
    {
        // A full list has the strongest stop lines already.
        let _ = out.stop_lines.push(line);
    }
}

#[cfg(test)]
mod tests;
