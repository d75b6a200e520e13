//! The map expansion of a location: lines between lanes, crosswalks and stop lines in the world.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::NuscenesError;
use super::table::{Record, read_layers, shown};
use crate::truth::LaneTruth;

/// Layers that are read; `road_segment` and the others hold nothing that is painted.
const LAYERS: [&str; 7] = [
    "node",
    "line",
    "polygon",
    "road_divider",
    "lane_divider",
    "ped_crossing",
    "stop_line",
];
/// Places to wait at inside junctions, where nothing is painted.
const UNPAINTED_STOP: &str = "TURN_STOP";
/// A stretch of a lane divider where no line is.
const NO_LINE: &str = "NIL";

/// A place of the map: x, y in the world, metres. The map has no heights.
pub(super) type Place = [f64; 2];

/// A painted line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MapLine {
    /// Number of the marking type, or unknown.
    pub marking: u8,
    /// Number of the colour, or unknown.
    pub colour: u8,
    pub places: Vec<Place>,
}

/// What is painted at a location.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MapExpansion {
    pub lines: Vec<MapLine>,
    /// Outlines.
    pub crosswalks: Vec<Vec<Place>>,
    /// Outlines.
    pub stop_lines: Vec<Vec<Place>>,
}

/// Records by layer until all nodes are known, since layers may come in any order.
#[derive(Default)]
struct Layers {
    nodes: BTreeMap<String, Place>,
    lines: BTreeMap<String, Vec<String>>,
    polygons: BTreeMap<String, Vec<String>>,
    road_dividers: Vec<Reference>,
    lane_dividers: Vec<(Reference, Vec<Segment>)>,
    crosswalks: Vec<Reference>,
    stop_lines: Vec<Reference>,
}

/// A record that refers to a line or a polygon.
struct Reference {
    token: String,
    geometry: String,
}

/// From a node of a divider on, its line is of this type.
struct Segment {
    node: String,
    kind: String,
}

impl MapExpansion {
    /// Reads `<location>.json` of the map expansion 1.3.
    ///
    /// # Errors
    /// The file is not there or damaged, a field is missing, or a token leads nowhere.
    pub fn read(file: &Path) -> Result<Self, NuscenesError> {
        let mut layers = Layers::default();
        read_layers(file, &LAYERS, &mut |layer, record| {
            layers.add(layer, record)
        })?;
        layers.resolve(file)
    }
}

impl Layers {
    fn add(&mut self, layer: &str, record: &Record<'_>) -> Result<(), NuscenesError> {
        let token = record.token()?.to_owned();
        let reference = |field: &str| -> Result<Reference, NuscenesError> {
            Ok(Reference {
                token: token.clone(),
                geometry: record.text(field)?.to_owned(),
            })
        };
        match layer {
            "node" => {
                let place = [record.number("x")?, record.number("y")?];
                self.nodes.insert(token, place);
            }
            "line" => {
                self.lines.insert(token, record.texts("node_tokens")?);
            }
            "polygon" => {
                let outline = record.texts("exterior_node_tokens")?;
                self.polygons.insert(token, outline);
            }
            "road_divider" => self.road_dividers.push(reference("line_token")?),
            "lane_divider" => {
                let divider = (reference("line_token")?, segments(record)?);
                self.lane_dividers.push(divider);
            }
            "ped_crossing" => self.crosswalks.push(reference("polygon_token")?),
            "stop_line" if record.text("stop_line_type")? != UNPAINTED_STOP => {
                self.stop_lines.push(reference("polygon_token")?);
            }
            _ => {}
        }
        Ok(())
    }

    fn resolve(self, file: &Path) -> Result<MapExpansion, NuscenesError> {
        let mut map = MapExpansion::default();
        for divider in &self.road_dividers {
            map.lines.push(MapLine {
                marking: LaneTruth::UNKNOWN,
                colour: LaneTruth::UNKNOWN,
                places: self.line(file, "road_divider", divider)?,
            });
        }
        for (divider, segments) in &self.lane_dividers {
            let places = self.line(file, "lane_divider", divider)?;
            let nodes = &self.lines[&divider.geometry];
            map.lines.extend(stretches(nodes, &places, segments));
        }
        for (layer, references, outlines) in [
            ("ped_crossing", &self.crosswalks, &mut map.crosswalks),
            ("stop_line", &self.stop_lines, &mut map.stop_lines),
        ] {
            for reference in references {
                outlines.push(self.outline(file, layer, reference)?);
            }
        }
        Ok(map)
    }

    fn line(
        &self,
        file: &Path,
        layer: &str,
        reference: &Reference,
    ) -> Result<Vec<Place>, NuscenesError> {
        let Some(nodes) = self.lines.get(&reference.geometry) else {
            return Err(reference.dangling(file, layer, "line_token", "line"));
        };
        self.places(file, "line", &reference.geometry, "node_tokens", nodes)
    }

    fn outline(
        &self,
        file: &Path,
        layer: &str,
        reference: &Reference,
    ) -> Result<Vec<Place>, NuscenesError> {
        let token = &reference.geometry;
        let Some(nodes) = self.polygons.get(token) else {
            return Err(reference.dangling(file, layer, "polygon_token", "polygon"));
        };
        let field = "exterior_node_tokens";
        if nodes.len() < 3 {
            return Err(
                NuscenesError::new(file, "three nodes or more", nodes.len().to_string())
                    .in_record(format!("{token:?} of polygon"))
                    .in_field(field),
            );
        }
        self.places(file, "polygon", token, field, nodes)
    }

    fn places(
        &self,
        file: &Path,
        layer: &str,
        token: &str,
        field: &str,
        nodes: &[String],
    ) -> Result<Vec<Place>, NuscenesError> {
        nodes
            .iter()
            .map(|node| {
                self.nodes.get(node).copied().ok_or_else(|| {
                    NuscenesError::new(file, "tokens of records of node", format!("{node:?}"))
                        .in_record(format!("{token:?} of {layer}"))
                        .in_field(field)
                })
            })
            .collect()
    }
}

impl Reference {
    fn dangling(&self, file: &Path, layer: &str, field: &str, other: &str) -> NuscenesError {
        NuscenesError::new(
            file,
            format!("the token of a record of {other}"),
            format!("{:?}", self.geometry),
        )
        .in_record(format!("{:?} of {layer}", self.token))
        .in_field(field)
    }
}

fn segments(record: &Record<'_>) -> Result<Vec<Segment>, NuscenesError> {
    let field = "lane_divider_segments";
    let text = |segment: &Value, name: &str| -> Result<String, NuscenesError> {
        segment
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| {
                record.wrong(
                    field,
                    format!("records with a text {name:?}, not {}", shown(segment)),
                )
            })
    };
    record
        .list(field)?
        .iter()
        .map(|segment| {
            Ok(Segment {
                node: text(segment, "node_token")?,
                kind: text(segment, "segment_type")?,
            })
        })
        .collect()
}

/// Cuts a divider where its type changes, and leaves out where it has no line.
///
/// A segment gives the type of the line from its node on, until the next node that has one. Where
/// nothing is said the type is unknown.
fn stretches(nodes: &[String], places: &[Place], segments: &[Segment]) -> Vec<MapLine> {
    let mut lines: Vec<MapLine> = Vec::new();
    let mut kind: Option<&str> = None;
    let mut is_open = false;
    for (node, pair) in nodes.iter().zip(places.windows(2)) {
        let begun = segments.iter().find(|segment| segment.node == *node);
        if let Some(segment) = begun
            && kind != Some(&segment.kind)
        {
            kind = Some(&segment.kind);
            is_open = false;
        }
        if kind == Some(NO_LINE) {
            continue;
        }
        match lines.last_mut() {
            Some(line) if is_open => line.places.push(pair[1]),
            _ => lines.push(MapLine {
                marking: marking_of(kind),
                colour: colour_of(kind),
                places: pair.to_vec(),
            }),
        }
        is_open = true;
    }
    lines
}

/// Marking type of a segment type such as `DOUBLE_DASHED_WHITE`.
fn marking_of(kind: Option<&str>) -> u8 {
    use bevrt_sim::MarkingType::{Dashed, Double, Solid};
    match kind {
        Some(kind) if kind.contains("DOUBLE") => Double as u8,
        Some(kind) if kind.contains("DASHED") => Dashed as u8,
        Some(kind) if kind.contains("SOLID") || kind.contains("ZIGZAG") => Solid as u8,
        _ => LaneTruth::UNKNOWN,
    }
}

fn colour_of(kind: Option<&str>) -> u8 {
    use bevrt_sim::MarkingColour::{White, Yellow};
    match kind {
        Some(kind) if kind.ends_with("WHITE") => White as u8,
        Some(kind) if kind.ends_with("YELLOW") => Yellow as u8,
        _ => LaneTruth::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divider_is_cut_where_its_type_changes() {
        let nodes: Vec<String> = (0..6).map(|k| format!("n{k}")).collect();
        let places: Vec<Place> = (0..6).map(|k| [f64::from(k), 0.0]).collect();
        let segments: Vec<Segment> = [
            ("n0", "SINGLE_DASHED_WHITE"),
            ("n1", "SINGLE_DASHED_WHITE"),
            ("n2", "NIL"),
            ("n3", "DOUBLE_SOLID_YELLOW"),
        ]
        .map(|(node, kind)| Segment {
            node: node.to_owned(),
            kind: kind.to_owned(),
        })
        .into();
        let lines = stretches(&nodes, &places, &segments);
        let found: Vec<(u8, u8, f64, f64)> = lines
            .iter()
            .map(|line| {
                let (first, last) = (line.places[0], line.places[line.places.len() - 1]);
                (line.marking, line.colour, first[0], last[0])
            })
            .collect();
        assert_eq!(found, [(1, 0, 0.0, 2.0), (2, 1, 3.0, 5.0)]);
    }

    #[test]
    fn a_divider_without_segments_is_one_line_of_unknown_type() {
        let nodes: Vec<String> = (0..3).map(|k| format!("n{k}")).collect();
        let places: Vec<Place> = (0..3).map(|k| [f64::from(k), 0.0]).collect();
        let lines = stretches(&nodes, &places, &[]);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].places, places);
        assert_eq!(lines[0].marking, LaneTruth::UNKNOWN);
    }
}
