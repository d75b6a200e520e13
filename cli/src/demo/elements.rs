//! Results and ground truth in the one form that the page draws.

use bevrt_hil::{FrameTruth, LaneTruth};
use bevrt_runtime::OutputFrame;
use bevrt_sim::{MarkingColour, MarkingType, ObjectClass};
use nalgebra::Point3;
use serde::Serialize;

/// Results below this confidence are scored but not drawn: packages report down to where recall still grows.
const DRAWN_CONFIDENCE: f32 = 0.3;

/// A box in the ego frame.
#[derive(Clone, Debug, Serialize)]
pub struct DrawnBox {
    pub kind: &'static str,
    pub id: u32,
    pub x: f64,
    pub y: f64,
    #[serde(skip)]
    pub z: f64,
    pub length: f64,
    pub width: f64,
    #[serde(skip)]
    pub height: f64,
    pub yaw: f64,
    pub vx: f64,
    pub vy: f64,
    pub coasting: bool,
}

/// A polyline or, when closed, a polygon in the ego frame.
#[derive(Clone, Debug, Serialize)]
pub struct DrawnLine {
    pub kind: &'static str,
    pub dashed: bool,
    pub closed: bool,
    #[serde(serialize_with = "plan_points")]
    pub points: Vec<Point3<f64>>,
}

/// A road arrow in the ego frame.
#[derive(Clone, Debug, Serialize)]
pub struct DrawnArrow {
    pub x: f64,
    pub y: f64,
    #[serde(skip)]
    pub z: f64,
    pub yaw: f64,
    pub directions: u8,
}

/// All that is drawn of one instant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Elements {
    pub boxes: Vec<DrawnBox>,
    pub lines: Vec<DrawnLine>,
    pub arrows: Vec<DrawnArrow>,
}

/// x and y with centimetres, to keep the page small.
fn plan_points<S: serde::Serializer>(
    points: &[Point3<f64>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(points.iter().map(|p| [rounded(p.x), rounded(p.y)]))
}

pub fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn box_kind(class: u8) -> &'static str {
    match ObjectClass::from_code(class) {
        Some(ObjectClass::Motorcycle | ObjectClass::Cyclist) => "two_wheeler",
        Some(ObjectClass::Pedestrian) => "person",
        Some(ObjectClass::Cone) => "cone",
        Some(ObjectClass::Car | ObjectClass::Van | ObjectClass::Truck | ObjectClass::Bus)
        | None => "vehicle",
    }
}

fn lane_kind(marking: u8, colour: u8) -> &'static str {
    if marking == MarkingType::RoadEdge as u8 {
        "road_edge"
    } else if colour == MarkingColour::Yellow as u8 {
        "lane_yellow"
    } else {
        "lane"
    }
}

impl From<&OutputFrame> for Elements {
    fn from(frame: &OutputFrame) -> Self {
        let is_drawn = |confidence: f32| confidence >= DRAWN_CONFIDENCE;
        let objects = frame.objects().iter();
        let objects = objects.filter(|object| is_drawn(object.confidence));
        let boxes = objects.map(|object| DrawnBox {
            kind: box_kind(object.class),
            id: object.id,
            x: rounded(object.x_m.into()),
            y: rounded(object.y_m.into()),
            z: object.z_m.into(),
            length: rounded(object.length_m.into()),
            width: rounded(object.width_m.into()),
            height: object.height_m.into(),
            yaw: rounded(object.yaw_rad.into()),
            vx: rounded(object.vx_mps.into()),
            vy: rounded(object.vy_mps.into()),
            coasting: object.is_coasting != 0,
        });
        let point =
            |p: &bevrt_runtime::FramePoint| Point3::new(p.x_m.into(), p.y_m.into(), p.z_m.into());
        let mut lines: Vec<_> = frame
            .lanes()
            .iter()
            .map(|lane| DrawnLine {
                kind: lane_kind(lane.marking, lane.colour),
                dashed: lane.marking == MarkingType::Dashed as u8,
                closed: false,
                points: lane.points().iter().map(point).collect(),
            })
            .collect();
        let crosswalks = frame.crosswalks().iter();
        let crosswalks = crosswalks.filter(|crosswalk| is_drawn(crosswalk.confidence));
        lines.extend(crosswalks.map(|crosswalk| DrawnLine {
            kind: "crosswalk",
            dashed: false,
            closed: true,
            points: crosswalk.points().iter().map(point).collect(),
        }));
        let stop_lines = frame.stop_lines().iter();
        let stop_lines = stop_lines.filter(|line| is_drawn(line.confidence));
        lines.extend(stop_lines.map(|line| DrawnLine {
            kind: "stop_line",
            dashed: false,
            closed: false,
            points: line.points().iter().map(point).collect(),
        }));
        let arrows = frame.arrows().iter();
        let arrows = arrows.filter(|arrow| is_drawn(arrow.confidence));
        let arrows = arrows.map(|arrow| DrawnArrow {
            x: rounded(arrow.x_m.into()),
            y: rounded(arrow.y_m.into()),
            z: arrow.z_m.into(),
            yaw: rounded(arrow.yaw_rad.into()),
            directions: arrow.directions,
        });
        Self {
            boxes: boxes.collect(),
            lines,
            arrows: arrows.collect(),
        }
    }
}

impl From<&FrameTruth> for Elements {
    /// What counts: seen by a camera now or within the last two seconds.
    fn from(truth: &FrameTruth) -> Self {
        let boxes = truth
            .objects
            .iter()
            .filter(|object| object.counts)
            .map(|object| DrawnBox {
                kind: box_kind(object.class),
                id: object.track_id,
                x: rounded(object.position_m[0]),
                y: rounded(object.position_m[1]),
                z: object.position_m[2],
                length: rounded(object.size_m[0]),
                width: rounded(object.size_m[1]),
                height: object.size_m[2],
                yaw: rounded(object.yaw_rad),
                vx: rounded(object.velocity_mps.unwrap_or_default()[0]),
                vy: rounded(object.velocity_mps.unwrap_or_default()[1]),
                coasting: false,
            });
        let mut lines: Vec<_> = truth.lanes.iter().flat_map(seen_stretches).collect();
        lines.extend(
            truth
                .crosswalks
                .iter()
                .filter(|crosswalk| crosswalk.is_seen)
                .map(|crosswalk| DrawnLine {
                    kind: "crosswalk",
                    dashed: false,
                    closed: true,
                    points: crosswalk.corners_m().map(Point3::from).to_vec(),
                }),
        );
        lines.extend(
            truth
                .stop_lines
                .iter()
                .filter(|line| line.is_seen)
                .map(|line| DrawnLine {
                    kind: "stop_line",
                    dashed: false,
                    closed: false,
                    points: line.ends_m().map(Point3::from).to_vec(),
                }),
        );
        let arrows = truth
            .arrows
            .iter()
            .filter(|arrow| arrow.is_seen)
            .map(|arrow| DrawnArrow {
                x: rounded(arrow.position_m[0]),
                y: rounded(arrow.position_m[1]),
                z: arrow.position_m[2],
                yaw: rounded(arrow.yaw_rad),
                directions: arrow.directions,
            });
        Self {
            boxes: boxes.collect(),
            lines,
            arrows: arrows.collect(),
        }
    }
}

/// The stretches of a lane that were seen.
fn seen_stretches(lane: &LaneTruth) -> Vec<DrawnLine> {
    let points: Vec<_> = lane.points_m.iter().zip(&lane.is_seen).collect();
    points
        .chunk_by(|a, b| a.1 == b.1)
        .filter(|stretch| stretch.len() > 1 && *stretch[0].1)
        .map(|stretch| DrawnLine {
            kind: lane_kind(lane.marking, lane.colour),
            dashed: lane.marking == MarkingType::Dashed as u8,
            closed: false,
            points: stretch
                .iter()
                .map(|(point, _)| Point3::from(**point))
                .collect(),
        })
        .collect()
}
