//! Arrows, crosswalks and stop lines.

use std::f64::consts::{FRAC_PI_2, PI};

use bevrt_runtime::{ArrowDirections, FramePoint, OutputArrow, OutputCrosswalk, OutputStopLine};

use super::header;
use crate::messages::kinds::{MainSign, MarkingColour, RoadMarkingType};
use crate::messages::{
    BaseStationary, CandidateRoadMarking, DetectedItemHeader, DetectedRoadMarking, Dimension3d,
    MarkingClassification, Orientation3d, Vector3d,
};
use crate::values::{finite, planar, vector, wrapped};

pub(super) fn arrow(arrow: &OutputArrow) -> DetectedRoadMarking {
    let base = BaseStationary {
        dimension: None,
        position: Some(vector(arrow.x_m, arrow.y_m, arrow.z_m)),
        orientation: finite(arrow.yaw_rad).map(lying),
    };
    let header = header::of_item(arrow.id, arrow.confidence, arrow.is_coasting);
    let sign = ArrowDirections::try_from(arrow.directions).map_or(MainSign::Unknown, arrow_sign);
    marking(header, Some(base), arrow.sigma_position_m, sign)
}

fn arrow_sign(directions: ArrowDirections) -> MainSign {
    const STRAIGHT: u8 = ArrowDirections::STRAIGHT.bits();
    const LEFT: u8 = ArrowDirections::LEFT.bits();
    const RIGHT: u8 = ArrowDirections::RIGHT.bits();
    const LEFT_STRAIGHT: u8 = LEFT | STRAIGHT;
    const RIGHT_STRAIGHT: u8 = RIGHT | STRAIGHT;
    const LEFT_RIGHT: u8 = LEFT | RIGHT;
    const LEFT_RIGHT_STRAIGHT: u8 = LEFT | RIGHT | STRAIGHT;
    match directions.bits() {
        STRAIGHT => MainSign::Straight,
        LEFT => MainSign::Left,
        RIGHT => MainSign::Right,
        LEFT_STRAIGHT => MainSign::LeftStraight,
        RIGHT_STRAIGHT => MainSign::RightStraight,
        LEFT_RIGHT => MainSign::LeftRight,
        LEFT_RIGHT_STRAIGHT => MainSign::LeftRightStraight,
        // OSI's U-turns need the side, and none goes with another direction.
        _with_u_turn => MainSign::Other,
    }
}

pub(super) fn crosswalk(crosswalk: &OutputCrosswalk) -> DetectedRoadMarking {
    let base = finite(crosswalk.theta_rad).and_then(|theta| boxed(crosswalk.points(), theta));
    let header = header::of_item(crosswalk.id, crosswalk.confidence, crosswalk.is_coasting);
    let sigma_m = crosswalk.sigma_position_m;
    marking(header, base, sigma_m, MainSign::ZebraCrossing)
}

pub(super) fn stop_line(stop_line: &OutputStopLine) -> DetectedRoadMarking {
    let points = stop_line.points();
    let base = line_direction(points)
        .and_then(|along_rad| boxed(points, along_rad))
        .map(|base| without_height(&base));
    let header = header::of_item(stop_line.id, stop_line.confidence, stop_line.is_coasting);
    let sigma_m = stop_line.sigma_position_m;
    marking(header, base, sigma_m, MainSign::Stop)
}

fn marking(
    header: DetectedItemHeader,
    base: Option<BaseStationary>,
    sigma_position_m: f32,
    sign: MainSign,
) -> DetectedRoadMarking {
    DetectedRoadMarking {
        header: Some(header),
        base,
        base_rmse: Some(BaseStationary {
            dimension: None,
            position: Some(planar(sigma_position_m, sigma_position_m)),
            orientation: None,
        }),
        candidate: vec![CandidateRoadMarking {
            probability: Some(1.0),
            classification: Some(MarkingClassification {
                r#type: Some(RoadMarkingType::SymbolicTrafficSign.into()),
                traffic_main_sign_type: Some(sign.into()),
                monochrome_color: Some(MarkingColour::Unknown.into()),
            }),
        }],
    }
}

/// How a marking is turned whose head points to `yaw_rad`: on its back, its x axis up and its z
/// axis towards the head. A quarter turn of pitch lays z to where yaw points backwards.
fn lying(yaw_rad: f64) -> Orientation3d {
    Orientation3d {
        roll: Some(0.0),
        pitch: Some(-FRAC_PI_2),
        yaw: Some(wrapped(yaw_rad + PI)),
    }
}

/// The direction from the first point to the last; `None` where they are not two.
fn line_direction(points: &[FramePoint]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let (x, y) = (
        f64::from(last.x_m) - f64::from(first.x_m),
        f64::from(last.y_m) - f64::from(first.y_m),
    );
    (x.hypot(y) > 0.0).then(|| y.atan2(x))
}

/// The flat box around points, wide along `along_rad`; its head is on that side of it that lies
/// more ahead of the vehicle. `None` without points, or where one is not finite.
fn boxed(points: &[FramePoint], along_rad: f64) -> Option<BaseStationary> {
    let head_rad = if along_rad.sin() >= 0.0 {
        along_rad - FRAC_PI_2
    } else {
        along_rad + FRAC_PI_2
    };
    let (sine, cosine) = head_rad.sin_cos();
    let (mut ahead, mut across) = (Extent::EMPTY, Extent::EMPTY);
    let mut height_sum_m = 0.0;
    for point in points {
        let (x, y, z) = (finite(point.x_m)?, finite(point.y_m)?, finite(point.z_m)?);
        ahead.include(cosine * x + sine * y);
        across.include(cosine * y - sine * x);
        height_sum_m += z;
    }
    if points.is_empty() {
        return None;
    }
    let (u, v) = (ahead.middle(), across.middle());
    Some(BaseStationary {
        dimension: Some(Dimension3d {
            length: Some(0.0),
            width: Some(across.length()),
            height: Some(ahead.length()),
        }),
        position: Some(Vector3d {
            x: Some(cosine * u - sine * v),
            y: Some(sine * u + cosine * v),
            z: Some(height_sum_m / points.len() as f64),
        }),
        orientation: Some(lying(head_rad)),
    })
}

/// The box of a line whose breadth is not known.
fn without_height(base: &BaseStationary) -> BaseStationary {
    BaseStationary {
        dimension: base.dimension.map(|dimension| Dimension3d {
            height: None,
            ..dimension
        }),
        ..*base
    }
}

/// From where to where something reaches along an axis.
struct Extent {
    least: f64,
    most: f64,
}

impl Extent {
    const EMPTY: Self = Self {
        least: f64::INFINITY,
        most: f64::NEG_INFINITY,
    };

    fn include(&mut self, value: f64) {
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    fn middle(&self) -> f64 {
        0.5 * (self.least + self.most)
    }

    fn length(&self) -> f64 {
        self.most - self.least
    }
}
