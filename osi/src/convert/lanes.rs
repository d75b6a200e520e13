//! Painted lines and road edges.

use bevrt_runtime::{FramePoint, MarkingColour, MarkingType, OutputLane};

use super::header;
use crate::messages::kinds::{BoundaryColour, BoundaryType};
use crate::messages::{
    BoundaryClassification, BoundaryPoint, CandidateLaneBoundary, DetectedItemHeader,
    DetectedLaneBoundary, Vector3d,
};
use crate::values::{finite, probability, seconds, vector};

pub(super) fn boundary(lane: &OutputLane) -> DetectedLaneBoundary {
    let points = lane.points();
    let confidence = probability(lane.confidence).unwrap_or(0.0);
    DetectedLaneBoundary {
        header: Some(DetectedItemHeader {
            age: Some(seconds(lane.age_ns)),
            ..header::of_item(lane.id, lane.confidence, lane.is_coasting)
        }),
        candidate: vec![CandidateLaneBoundary {
            probability: Some(1.0),
            classification: Some(classification(lane)),
        }],
        boundary_line: points
            .iter()
            .map(|point| BoundaryPoint {
                position: Some(vector(point.x_m, point.y_m, point.z_m)),
            })
            .collect(),
        boundary_line_rmse: (0..points.len())
            .map(|index| BoundaryPoint {
                position: Some(deviation(points, index, lane.sigma_lateral_m)),
            })
            .collect(),
        boundary_line_confidences: vec![confidence; points.len()],
    }
}

fn classification(lane: &OutputLane) -> BoundaryClassification {
    let marking = MarkingType::try_from(lane.marking);
    let kind = match marking {
        // OSI has no double line: it wants one boundary for each lane beside it.
        Ok(MarkingType::Solid | MarkingType::Double) => BoundaryType::SolidLine,
        Ok(MarkingType::Dashed) => BoundaryType::DashedLine,
        Ok(MarkingType::RoadEdge) => BoundaryType::RoadEdge,
        Err(_) => BoundaryType::Unknown,
    };
    let colour = match MarkingColour::try_from(lane.colour) {
        Ok(MarkingColour::White) => BoundaryColour::White,
        Ok(MarkingColour::Yellow) => BoundaryColour::Yellow,
        Err(_) => BoundaryColour::Unknown,
    };
    let has_paint = marking != Ok(MarkingType::RoadEdge);
    BoundaryClassification {
        r#type: Some(kind.into()),
        color: has_paint.then_some(colour.into()),
    }
}

/// The deviation across the line at a point, split along x and y by the line's direction there.
fn deviation(points: &[FramePoint], index: usize, sigma_lateral_m: f32) -> Vector3d {
    let before = &points[index.saturating_sub(1)];
    let after = &points[(index + 1).min(points.len() - 1)];
    let (along_x, along_y) = (
        f64::from(after.x_m) - f64::from(before.x_m),
        f64::from(after.y_m) - f64::from(before.y_m),
    );
    let length = along_x.hypot(along_y);
    let part = |across: f64| {
        let part = finite(sigma_lateral_m)? * across.abs() / length;
        part.is_finite().then_some(part)
    };
    Vector3d {
        x: part(along_y),
        y: part(along_x),
        z: None,
    }
}
