//! Ground truth and results as scenes that Foxglove draws.

use bevrt_runtime::OutputFrame;
use foxglove::messages::line_primitive::Type as LineType;
use foxglove::messages::scene_entity_deletion::Type as DeletionType;
use foxglove::messages::{
    ArrowPrimitive, Color, CubePrimitive, LinePrimitive, Point3, SceneEntity, SceneEntityDeletion,
    SceneUpdate, TextPrimitive, Vector3,
};
use nalgebra as na;

use super::EGO_FRAME;
use super::convert::{pose, timestamp};
use crate::metrics::{Point, ScoreClass};
use crate::prediction::FramePrediction;
use crate::truth::FrameTruth;

const LINE_WIDTH_M: f64 = 0.12;
const ARROW_LENGTH_M: f64 = 3.0;
/// Results are opaque, ground truth shines through.
const RESULT_OPACITY: f64 = 0.8;
const TRUTH_OPACITY: f64 = 0.35;

/// A scene that replaces all that was on its topic.
struct Scene {
    stamp_ns: i64,
    opacity: f64,
    entities: Vec<SceneEntity>,
}

impl Scene {
    fn new(stamp_ns: i64, opacity: f64) -> Self {
        Self {
            stamp_ns,
            opacity,
            entities: Vec::new(),
        }
    }

    fn push(&mut self, id: String, fill: impl FnOnce(&mut SceneEntity)) {
        let mut entity = SceneEntity {
            timestamp: Some(timestamp(self.stamp_ns)),
            frame_id: EGO_FRAME.to_owned(),
            id,
            frame_locked: true,
            ..SceneEntity::default()
        };
        fill(&mut entity);
        self.entities.push(entity);
    }

    fn push_box(
        &mut self,
        id: String,
        class: u8,
        centre: Point,
        size: Point,
        yaw: f64,
        text: String,
    ) {
        let colour = self.colour(class_rgb(class));
        let at = upright(centre, yaw);
        let above = upright([centre[0], centre[1], centre[2] + 0.5 * size[2] + 0.4], 0.0);
        self.push(id, |entity| {
            entity.cubes.push(CubePrimitive {
                pose: Some(pose(&at)),
                size: Some(Vector3 {
                    x: size[0],
                    y: size[1],
                    z: size[2],
                }),
                color: Some(colour),
            });
            entity.texts.push(TextPrimitive {
                pose: Some(pose(&above)),
                billboard: true,
                font_size: 12.0,
                scale_invariant: true,
                color: Some(Color { a: 1.0, ..colour }),
                text,
            });
        });
    }

    fn push_line(&mut self, id: String, rgb: [f64; 3], kind: LineType, points: &[Point]) {
        let colour = self.colour(rgb);
        self.push(id, |entity| {
            entity.lines.push(LinePrimitive {
                r#type: kind.into(),
                pose: Some(pose(&na::Isometry3::identity())),
                thickness: LINE_WIDTH_M,
                scale_invariant: false,
                points: points
                    .iter()
                    .map(|p| Point3 {
                        x: p[0],
                        y: p[1],
                        z: p[2],
                    })
                    .collect(),
                color: Some(colour),
                colors: Vec::new(),
                indices: Vec::new(),
            });
        });
    }

    fn push_arrow(&mut self, id: String, centre: Point, yaw: f64) {
        let colour = self.colour([0.2, 0.9, 0.9]);
        let half_m = 0.5 * ARROW_LENGTH_M;
        let tail = [
            centre[0] - half_m * yaw.cos(),
            centre[1] - half_m * yaw.sin(),
            centre[2],
        ];
        self.push(id, |entity| {
            entity.arrows.push(ArrowPrimitive {
                pose: Some(pose(&upright(tail, yaw))),
                shaft_length: 0.7 * ARROW_LENGTH_M,
                shaft_diameter: 0.2,
                head_length: 0.3 * ARROW_LENGTH_M,
                head_diameter: 0.6,
                color: Some(colour),
            });
        });
    }

    fn colour(&self, [r, g, b]: [f64; 3]) -> Color {
        Color {
            r,
            g,
            b,
            a: self.opacity,
        }
    }

    fn finish(self) -> SceneUpdate {
        SceneUpdate {
            deletions: vec![SceneEntityDeletion {
                timestamp: Some(timestamp(self.stamp_ns)),
                r#type: DeletionType::All.into(),
                id: String::new(),
            }],
            entities: self.entities,
        }
    }
}

fn upright(centre: Point, yaw_rad: f64) -> na::Isometry3<f64> {
    na::Isometry3::new(na::Vector3::from(centre), na::Vector3::z() * yaw_rad)
}

fn class_rgb(class: u8) -> [f64; 3] {
    match ScoreClass::of_object_class(class) {
        Some(ScoreClass::Car) => [0.2, 0.5, 1.0],
        Some(ScoreClass::Truck | ScoreClass::Bus) => [0.5, 0.3, 0.9],
        Some(ScoreClass::Motorcycle | ScoreClass::Bicycle) => [0.2, 0.8, 0.4],
        Some(ScoreClass::Pedestrian) => [1.0, 0.4, 0.2],
        Some(ScoreClass::TrafficCone) => [1.0, 0.7, 0.1],
        None => [0.5, 0.5, 0.5],
    }
}

/// Road edges red, yellow lines yellow, the rest white.
fn lane_rgb(marking: u8, colour: u8) -> [f64; 3] {
    match (marking, colour) {
        (3, _) => [0.9, 0.2, 0.2],
        (_, 1) => [1.0, 0.85, 0.1],
        _ => [0.95, 0.95, 0.95],
    }
}

fn class_name(class: u8) -> &'static str {
    ScoreClass::of_object_class(class).map_or("?", ScoreClass::name)
}

const CROSSWALK_RGB: [f64; 3] = [0.9, 0.9, 0.3];
const STOP_LINE_RGB: [f64; 3] = [1.0, 0.5, 0.5];

/// Ground truth; what no camera has seen is left out.
pub(super) fn truth_scene(truth: &FrameTruth) -> SceneUpdate {
    let mut scene = Scene::new(truth.stamp_ns, TRUTH_OPACITY);
    for object in truth.objects.iter().filter(|object| object.counts) {
        let text = format!("{} {}", class_name(object.class), object.track_id);
        let id = format!("object {}", object.track_id);
        scene.push_box(
            id,
            object.class,
            object.position_m,
            object.size_m,
            object.yaw_rad,
            text,
        );
    }
    for (place, lane) in truth.lanes.iter().enumerate() {
        let rgb = lane_rgb(lane.marking, lane.colour);
        scene.push_line(
            format!("lane {place}"),
            rgb,
            LineType::LineStrip,
            &lane.points_m,
        );
    }
    for arrow in truth.arrows.iter().filter(|arrow| arrow.is_seen) {
        scene.push_arrow(
            format!("arrow {}", arrow.id),
            arrow.position_m,
            arrow.yaw_rad,
        );
    }
    for crosswalk in truth
        .crosswalks
        .iter()
        .filter(|crosswalk| crosswalk.is_seen)
    {
        let id = format!("crosswalk {}", crosswalk.id);
        scene.push_line(
            id,
            CROSSWALK_RGB,
            LineType::LineLoop,
            &crosswalk.corners_m(),
        );
    }
    for stop_line in truth
        .stop_lines
        .iter()
        .filter(|stop_line| stop_line.is_seen)
    {
        let id = format!("stop line {}", stop_line.id);
        scene.push_line(id, STOP_LINE_RGB, LineType::LineStrip, &stop_line.ends_m());
    }
    scene.finish()
}

/// Results.
pub(super) fn frame_scene(frame: &OutputFrame) -> SceneUpdate {
    let prediction = FramePrediction::from(frame);
    let mut scene = Scene::new(frame.stamp_ns, RESULT_OPACITY);
    for (object, output) in prediction.objects.iter().zip(frame.objects()) {
        let coasting = if object.is_coasting { " (hidden)" } else { "" };
        let text = format!(
            "{} {} {:.0} %{coasting}",
            class_name(object.class),
            output.id,
            100.0 * object.confidence
        );
        let id = format!("object {}", output.id);
        scene.push_box(
            id,
            object.class,
            object.position_m,
            object.size_m,
            object.yaw_rad,
            text,
        );
    }
    for (lane, output) in prediction.lanes.iter().zip(frame.lanes()) {
        let rgb = lane_rgb(lane.marking, lane.colour);
        scene.push_line(
            format!("lane {}", output.id),
            rgb,
            LineType::LineStrip,
            &lane.points_m,
        );
    }
    for (place, arrow) in prediction.arrows.iter().enumerate() {
        scene.push_arrow(format!("arrow {place}"), arrow.position_m, arrow.yaw_rad);
    }
    for (place, crosswalk) in prediction.crosswalks.iter().enumerate() {
        let id = format!("crosswalk {place}");
        scene.push_line(id, CROSSWALK_RGB, LineType::LineLoop, &crosswalk.corners_m);
    }
    for (place, stop_line) in prediction.stop_lines.iter().enumerate() {
        let id = format!("stop line {place}");
        scene.push_line(id, STOP_LINE_RGB, LineType::LineStrip, &stop_line.points_m);
    }
    scene.finish()
}
