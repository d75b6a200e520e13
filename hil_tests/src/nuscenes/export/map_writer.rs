//! The marks around the paths of all scenes as a map expansion.
//!
//! The format has no road edges as lines and no arrows: they are left out. Every painted line
//! becomes a lane divider, which has a type; road dividers have none.

use std::collections::BTreeMap;
use std::path::Path;

use bevrt_calibration::Pose;
use bevrt_runtime::Stamp;
use bevrt_sim::{GroundTruth, MarkingColour, MarkingType};
use nalgebra::Vector2;
use serde_json::{Value, json};

use super::unwritable;
use crate::nuscenes::NuscenesError;
use crate::nuscenes::level::Level;
use crate::nuscenes::map_expansion::Place;
use crate::source::SimulatedDrive;

/// Thickness that stop lines are given: the ground truth has none.
const STOP_LINE_M: f64 = 0.4;
/// Layers that the devkit wants and that we have nothing for.
const EMPTY_LAYERS: [&str; 9] = [
    "drivable_area",
    "road_segment",
    "road_block",
    "lane",
    "lane_connector",
    "walkway",
    "carpark_area",
    "road_divider",
    "traffic_light",
];

/// Layers of the map, as records.
#[derive(Default)]
pub(super) struct MapWriter {
    nodes: Vec<Value>,
    lines: Vec<Value>,
    polygons: Vec<Value>,
    lane_dividers: Vec<Value>,
    crosswalks: Vec<Value>,
    stop_lines: Vec<Value>,
}

/// A painted line as far as the vehicle came near it.
struct Line {
    kind: String,
    /// By their place along the whole line.
    places: BTreeMap<u32, Place>,
}

impl MapWriter {
    /// Adds the marks that lie within range at these moments of a drive.
    pub fn add_scene(
        &mut self,
        token: &str,
        drive: &SimulatedDrive,
        map_from_world: Vector2<f64>,
        moments: impl Iterator<Item = Stamp>,
    ) {
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        let mut crosswalks = BTreeMap::new();
        let mut stop_lines = BTreeMap::new();
        for stamp in moments {
            let truth = drive.ground_truth(stamp);
            let ground = Ground::new(&truth, map_from_world);
            for lane in &truth.lanes {
                let Some(kind) = segment_type(lane.marking, lane.colour) else {
                    continue;
                };
                let places = BTreeMap::new();
                let line = lines.entry(lane.id).or_insert(Line { kind, places });
                for point in &lane.points {
                    let place = ground.place(point.position.coords.into());
                    line.places.entry(point.station).or_insert(place);
                }
            }
            for walk in &truth.crosswalks {
                crosswalks.entry(walk.id).or_insert_with(|| {
                    let size = [walk.length, walk.width];
                    ground.rectangle(walk.centre.coords.into(), walk.theta, size)
                });
            }
            for line in &truth.stop_lines {
                stop_lines.entry(line.id).or_insert_with(|| {
                    let size = [line.length, STOP_LINE_M];
                    ground.rectangle(line.centre.coords.into(), line.theta, size)
                });
            }
        }
        for (id, line) in &lines {
            self.add_line(&format!("{token}-line-{id}"), line);
        }
        for (id, outline) in &crosswalks {
            let token = format!("{token}-crosswalk-{id}");
            let polygon_token = self.add_polygon(&token, outline);
            self.crosswalks.push(json!({
                "token": token,
                "polygon_token": polygon_token,
                "road_segment_token": "",
            }));
        }
        for (id, outline) in &stop_lines {
            let token = format!("{token}-stop-line-{id}");
            let polygon_token = self.add_polygon(&token, outline);
            self.stop_lines.push(json!({
                "token": token,
                "polygon_token": polygon_token,
                "stop_line_type": "STOP_SIGN",
                "ped_crossing_tokens": [],
                "traffic_light_tokens": [],
                "road_block_token": "",
            }));
        }
    }

    /// Writes the file; `canvas_m` is the width and height of the map.
    pub fn write(self, file: &Path, canvas_m: [f64; 2]) -> Result<(), NuscenesError> {
        let mut map = json!({
            "version": "1.3",
            "canvas_edge": canvas_m,
            "node": self.nodes,
            "line": self.lines,
            "polygon": self.polygons,
            "lane_divider": self.lane_dividers,
            "ped_crossing": self.crosswalks,
            "stop_line": self.stop_lines,
            "connectivity": {},
            "arcline_path_3": {},
        });
        for layer in EMPTY_LAYERS {
            map[layer] = json!([]);
        }
        std::fs::write(file, map.to_string()).map_err(|error| unwritable(file, error))
    }

    /// Adds the stretches of a line that the vehicle came near.
    fn add_line(&mut self, token: &str, line: &Line) {
        let stations: Vec<(&u32, &Place)> = line.places.iter().collect();
        let stretches = stations.chunk_by(|a, b| *b.0 == a.0 + 1);
        for (part, stretch) in stretches.filter(|stretch| stretch.len() > 1).enumerate() {
            let token = format!("{token}-{part}");
            let places: Vec<Place> = stretch.iter().map(|(_, place)| **place).collect();
            let nodes = self.add_nodes(&token, &places);
            let segments: Vec<Value> = nodes
                .iter()
                .map(|node| json!({"node_token": node, "segment_type": line.kind}))
                .collect();
            let line_token = format!("{token}-geometry");
            self.lines
                .push(json!({"token": line_token, "node_tokens": nodes}));
            self.lane_dividers.push(json!({
                "token": token,
                "line_token": line_token,
                "lane_divider_segments": segments,
            }));
        }
    }

    fn add_polygon(&mut self, token: &str, outline: &[Place]) -> String {
        let nodes = self.add_nodes(token, outline);
        let polygon = format!("{token}-geometry");
        self.polygons.push(json!({
            "token": polygon,
            "exterior_node_tokens": nodes,
            "holes": [],
        }));
        polygon
    }

    fn add_nodes(&mut self, token: &str, places: &[Place]) -> Vec<String> {
        places
            .iter()
            .enumerate()
            .map(|(place, [x, y])| {
                let node = format!("{token}-node-{place}");
                self.nodes.push(json!({"token": node, "x": x, "y": y}));
                node
            })
            .collect()
    }
}

/// From the ego frame of a moment to the map.
struct Ground {
    level: Level,
    map_from_world: Vector2<f64>,
}

impl Ground {
    fn new(truth: &GroundTruth, map_from_world: Vector2<f64>) -> Self {
        let world_from_ego = Pose::from_isometry(truth.world_from_ego);
        Self {
            level: Level::new(world_from_ego, *world_from_ego.translation()),
            map_from_world,
        }
    }

    fn place(&self, point_in_ego: [f64; 3]) -> Place {
        let [x, y, _] = self.level.world_position(point_in_ego);
        [x + self.map_from_world.x, y + self.map_from_world.y]
    }

    /// Corners of a rectangle on the ground, `size` along and across a direction of the ego frame.
    fn rectangle(&self, centre_in_ego: [f64; 3], theta_rad: f64, size: [f64; 2]) -> Vec<Place> {
        let [x, y] = self.place(centre_in_ego);
        let (sin, cos) = self.level.world_yaw(theta_rad).sin_cos();
        [(0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)]
            .map(|(along, across)| {
                let (a, b) = (along * size[0], across * size[1]);
                [x + a * cos - b * sin, y + a * sin + b * cos]
            })
            .to_vec()
    }
}

/// The type of a lane divider; `None` for road edges, which are no dividers.
fn segment_type(marking: MarkingType, colour: MarkingColour) -> Option<String> {
    let marking = match marking {
        MarkingType::Solid => "SINGLE_SOLID",
        MarkingType::Dashed => "SINGLE_DASHED",
        MarkingType::Double => "DOUBLE_SOLID",
        MarkingType::RoadEdge => return None,
    };
    let colour = match colour {
        MarkingColour::White => "WHITE",
        MarkingColour::Yellow => "YELLOW",
    };
    Some(format!("{marking}_{colour}"))
}
