use std::fmt;

use bevrt_calibration::BevGrid;
use serde::Deserialize;

/// Cell size of the grid that stands for a range.
const RANGE_CELL_M: f64 = 1.0;
/// How far outside of a range a point still counts as inside.
const BORDER_M: f64 = 0.01;

/// Kind of element that a head finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// 3D objects.
    Objects,
    /// Painted lines and road edges.
    Lanes,
    /// Road arrows.
    Arrows,
    /// Crosswalks.
    Crosswalks,
    /// Stop lines.
    StopLines,
}

impl HeadKind {
    /// The name as it stands in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Lanes => "lanes",
            Self::Arrows => "arrows",
            Self::Crosswalks => "crosswalks",
            Self::StopLines => "stop_lines",
        }
    }

    /// How many confidence maps the kind has.
    pub const fn class_count(self) -> usize {
        match self {
            Self::Objects | Self::Arrows => 8,
            Self::Lanes | Self::Crosswalks | Self::StopLines => 1,
        }
    }

    /// Channels of a dense head's output map.
    pub const fn channels(self) -> usize {
        match self {
            Self::Objects => 25,
            Self::Lanes => 13,
            Self::Arrows => 14,
            Self::Crosswalks => 9,
            Self::StopLines => 8,
        }
    }
}

impl fmt::Display for HeadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One head of the network and how it is decoded.
#[derive(Clone, Debug)]
pub struct HeadSection {
    /// Name of the network's output; of a query set, what the names of its two outputs begin with.
    pub output: String,
    /// What the output holds; it decides the decoder.
    pub form: HeadForm,
    /// Names of the classes, in the order of the confidences or types; may be empty.
    pub classes: Vec<String>,
    /// Confidence from which an element is reported, one for each class (dense lanes: one, or one
    /// for each marking type).
    pub thresholds: Vec<f32>,
}

/// What a head's output holds.
#[derive(Clone, Debug)]
pub enum HeadForm {
    /// A map over the cells of a grid: `<output>` f32 [1, channels, rows, cols].
    Dense {
        /// What it finds.
        kind: HeadKind,
        /// Cells of the map.
        grid: BevGrid,
    },
    /// A set of boxes: `<output>_scores` f32 [1, count, 8] and `<output>_boxes` f32 [1, count, 17].
    ObjectQueries(ObjectQueries),
    /// A set of point lists: `<output>_scores` f32 [1, count, classes] and `<output>_points` f32
    /// [1, count, points, 2 or 3].
    MapQueries(MapQueries),
}

impl HeadForm {
    /// The kinds of elements that the head finds.
    pub fn finds(&self) -> Vec<HeadKind> {
        match self {
            Self::Dense { kind, .. } => vec![*kind],
            Self::ObjectQueries(_) => vec![HeadKind::Objects],
            Self::MapQueries(queries) => {
                let mut kinds = Vec::new();
                for kind in queries.elements.iter().filter_map(|element| element.kind()) {
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
                kinds
            }
        }
    }

    /// A grid over the ground where the head finds elements: its own, or one of its range.
    pub fn area(&self) -> BevGrid {
        match self {
            Self::Dense { grid, .. } => *grid,
            Self::ObjectQueries(queries) => queries.range.cells(),
            Self::MapQueries(queries) => queries.range.cells(),
        }
    }
}

impl fmt::Display for HeadForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense { kind, grid } => write!(
                f,
                "{kind}: {} x {} cells of {} m",
                grid.rows, grid.cols, grid.cell_m
            ),
            Self::ObjectQueries(queries) => {
                write!(f, "objects: {} queries, {}", queries.count, queries.range)
            }
            Self::MapQueries(queries) => write!(
                f,
                "map elements: {} queries of {} points, {}",
                queries.count, queries.points, queries.range
            ),
        }
    }
}

/// A rectangle on the ground, in ego axes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundRange {
    /// Its back.
    pub x_min_m: f64,
    /// Its front.
    pub x_max_m: f64,
    /// Its right side.
    pub y_min_m: f64,
    /// Its left side.
    pub y_max_m: f64,
}

impl GroundRange {
    /// Whether a point lies in it or within 1 cm of it, so that rounding pushes none out.
    pub fn contains(&self, [x_m, y_m]: [f32; 2]) -> bool {
        let holds = |value: f32, least: f64, most: f64| {
            (least - BORDER_M..=most + BORDER_M).contains(&f64::from(value))
        };
        holds(x_m, self.x_min_m, self.x_max_m) && holds(y_m, self.y_min_m, self.y_max_m)
    }

    /// A grid of cells of 1 m that covers it.
    pub fn cells(&self) -> BevGrid {
        // A cast from float saturates; the manifest allows no range that is this large.
        let cells =
            |least: f64, most: f64| ((most - least) / RANGE_CELL_M).ceil().max(1.0) as usize;
        BevGrid {
            x_min_m: self.x_min_m,
            y_min_m: self.y_min_m,
            cell_m: RANGE_CELL_M,
            rows: cells(self.x_min_m, self.x_max_m),
            cols: cells(self.y_min_m, self.y_max_m),
        }
    }
}

impl fmt::Display for GroundRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "x {} to {} m, y {} to {} m",
            self.x_min_m, self.x_max_m, self.y_min_m, self.y_max_m
        )
    }
}

/// A set of boxes, as DETR-like detectors give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectQueries {
    /// Number of queries.
    pub count: usize,
    /// Boxes whose centre lies outside are not reported.
    pub range: GroundRange,
}

impl ObjectQueries {
    /// Values of a box: x, y, z; ln length, width, height; sin, cos of yaw; velocity x, y; yaw
    /// rate; ln sigma of x, y, yaw, velocity x, y, size.
    pub const COLUMNS: usize = 17;
}

/// A set of point lists, as MapTR-like heads give it.
#[derive(Clone, Debug, PartialEq)]
pub struct MapQueries {
    /// Number of queries.
    pub count: usize,
    /// Points of a query.
    pub points: usize,
    /// Values of a point.
    pub dimensions: PointDimensions,
    /// What x and y are measured in.
    pub coordinates: PointCoordinates,
    /// Where points may lie; normalised coordinates run over it.
    pub range: GroundRange,
    /// What each class is.
    pub elements: Vec<MapElement>,
    /// Standard deviation of the positions of each class, as it was measured.
    pub sigma_m: Vec<f32>,
}

/// Values of a point of a map element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointDimensions {
    /// x and y; the point lies at z = 0.
    Two,
    /// x, y and z (always metres).
    Three,
}

impl PointDimensions {
    /// Values of a point.
    pub const fn count(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// What x and y of a point are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointCoordinates {
    /// 0 to 1 over the head's range.
    Normalised,
    /// Metres in ego axes.
    Metres,
}

/// What a class of a map head is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapElement {
    /// A painted line or road edge.
    Line {
        /// Marking type: 0 solid, 1 dashed, 2 double, 3 road edge.
        marking: u8,
        /// Colour: 0 white, 1 yellow.
        colour: u8,
    },
    /// A crosswalk, its points around it.
    Crosswalk,
    /// A stop line.
    StopLine,
    /// Nothing that a frame can hold.
    Ignored,
}

impl MapElement {
    const NAMES: [(&'static str, Self); 10] = [
        ("solid", Self::line(0, 0)),
        ("dashed", Self::line(1, 0)),
        ("double", Self::line(2, 0)),
        ("road_edge", Self::line(3, 0)),
        ("yellow_solid", Self::line(0, 1)),
        ("yellow_dashed", Self::line(1, 1)),
        ("yellow_double", Self::line(2, 1)),
        ("crosswalk", Self::Crosswalk),
        ("stop_line", Self::StopLine),
        ("ignored", Self::Ignored),
    ];

    const fn line(marking: u8, colour: u8) -> Self {
        Self::Line { marking, colour }
    }

    /// The names that the manifest may use.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, _)| *name)
    }

    /// The element of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, element)| *element)
    }

    /// The list of the frame that it goes to.
    pub const fn kind(self) -> Option<HeadKind> {
        match self {
            Self::Line { .. } => Some(HeadKind::Lanes),
            Self::Crosswalk => Some(HeadKind::Crosswalks),
            Self::StopLine => Some(HeadKind::StopLines),
            Self::Ignored => None,
        }
    }
}
