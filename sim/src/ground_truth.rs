//! What is really there: objects and map elements around the ego vehicle, with how much of them the cameras see.
//!
//! All positions are in the ego frame of the moment (x forward, y left, z up, metres), angles in radians.
//! A drive fills the geometry; the renderer fills the visibility of the moment; [`VisibilityMemory`] fills what follows
//! from the last seconds.

mod visibility_memory;

pub use visibility_memory::VisibilityMemory;

use nalgebra::{Isometry3, Point3};

/// Class of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ObjectClass {
    /// Passenger car.
    Car = 0,
    /// Delivery van.
    Van = 1,
    /// Truck, rigid.
    Truck = 2,
    /// City bus or coach.
    Bus = 3,
    /// Motorcycle with its rider.
    Motorcycle = 4,
    /// Bicycle with its rider.
    Cyclist = 5,
    /// Person on foot.
    Pedestrian = 6,
    /// Traffic cone.
    Cone = 7,
}

impl ObjectClass {
    /// All classes in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Car,
        Self::Van,
        Self::Truck,
        Self::Bus,
        Self::Motorcycle,
        Self::Cyclist,
        Self::Pedestrian,
        Self::Cone,
    ];

    /// The code used in frames, logs and training data.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The class of a code, or `None` for a code that is not in use.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Van => "van",
            Self::Truck => "truck",
            Self::Bus => "bus",
            Self::Motorcycle => "motorcycle",
            Self::Cyclist => "cyclist",
            Self::Pedestrian => "pedestrian",
            Self::Cone => "cone",
        }
    }
}

/// How a lane is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MarkingType {
    /// One unbroken line.
    Solid = 0,
    /// One broken line; the lane spans the gaps.
    Dashed = 1,
    /// Two lines side by side; the lane runs between them.
    Double = 2,
    /// Kerb or the border of the asphalt.
    RoadEdge = 3,
}

/// Colour of a marking; road edges are given as white.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MarkingColour {
    /// White.
    White = 0,
    /// Yellow.
    Yellow = 1,
}

/// Directions that a road arrow allows: a bit set of straight = 1, left = 2, right = 4, U-turn = 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrowKind(u8);

impl ArrowKind {
    /// Straight on.
    pub const STRAIGHT: Self = Self(1);
    /// Left.
    pub const LEFT: Self = Self(2);
    /// Right.
    pub const RIGHT: Self = Self(4);
    /// Straight on or left.
    pub const STRAIGHT_LEFT: Self = Self(3);
    /// Straight on or right.
    pub const STRAIGHT_RIGHT: Self = Self(5);
    /// Left or right.
    pub const LEFT_RIGHT: Self = Self(6);
    /// All three.
    pub const STRAIGHT_LEFT_RIGHT: Self = Self(7);
    /// U-turn.
    pub const U_TURN: Self = Self(8);

    /// All kinds; the position in this list is the class index of the arrow head.
    pub const ALL: [Self; 8] = [
        Self::STRAIGHT,
        Self::LEFT,
        Self::RIGHT,
        Self::STRAIGHT_LEFT,
        Self::STRAIGHT_RIGHT,
        Self::LEFT_RIGHT,
        Self::STRAIGHT_LEFT_RIGHT,
        Self::U_TURN,
    ];

    /// The bit set.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Position in [`ArrowKind::ALL`].
    pub fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|kind| *kind == self)
            .expect("every kind is in ALL, since no other can be made")
    }
}

/// A box on the ground.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Identity, stable through the drive; the renderer's instance id.
    pub id: u32,
    /// Class.
    pub class: ObjectClass,
    /// Centre of the box.
    pub centre: Point3<f64>,
    /// Length, width, height, metres.
    pub size: [f32; 3],
    /// Heading, counter-clockwise from ego x, in (−π, π].
    pub yaw: f64,
    /// Velocity over ground in ego axes, m/s.
    pub velocity: [f64; 2],
    /// Yaw rate over ground, rad/s.
    pub yaw_rate: f64,
    /// Visible part of the silhouette now, 0 to 1, over all cameras.
    pub visible_fraction: f32,
    /// Visible pixels now, at the size the visibility was drawn.
    pub visible_px: f32,
    /// Pixels that the object would cover without occluders, at the same size.
    pub silhouette_px: f32,
    /// Seen now or within the last 2 s: ground truth that a result is measured against.
    pub counts: bool,
    /// Hidden now (less than a fifth visible) but seen well (two fifths or more) within the last 1.5 s.
    pub is_occluded_recall: bool,
}

/// A point of a lane, at a whole metre of its line.
#[derive(Clone, Debug, PartialEq)]
pub struct LanePoint {
    /// Position on the ground.
    pub position: Point3<f64>,
    /// Index along the whole line in the world: the same point keeps it through the drive.
    pub station: u32,
    /// A camera sees it now.
    pub is_visible: bool,
    /// A camera sees it now or saw it within the last 2 s.
    pub was_seen: bool,
}

/// One painted line or road edge, cut at junctions, at changes of type and at the range border.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Identity of the line, stable through the drive. A line that leaves the range and returns gives several lanes of one id.
    pub id: u32,
    /// Marking type.
    pub marking: MarkingType,
    /// Colour.
    pub colour: MarkingColour,
    /// Points about every metre along the line.
    pub points: Vec<LanePoint>,
}

/// An arrow painted on the road.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// Identity, stable through the drive.
    pub id: u32,
    /// Middle of the arrow's length, on the axis of its lane.
    pub position: Point3<f64>,
    /// Direction of travel.
    pub yaw: f64,
    /// Directions that it allows.
    pub kind: ArrowKind,
    /// Extent along `yaw`, metres.
    pub length: f64,
    /// Visible part of its surface now.
    pub visible_fraction: f32,
    /// Seen now or within the last 2 s.
    pub was_seen: bool,
}

/// A crosswalk: a rotated rectangle.
#[derive(Clone, Debug, PartialEq)]
pub struct Crosswalk {
    /// Identity, stable through the drive.
    pub id: u32,
    /// Centre.
    pub centre: Point3<f64>,
    /// Walking direction across the road, in (−π/2, π/2].
    pub theta: f64,
    /// Extent along `theta`, metres.
    pub length: f64,
    /// Extent across `theta`, metres.
    pub width: f64,
    /// Visible part of its surface now.
    pub visible_fraction: f32,
    /// Seen now or within the last 2 s.
    pub was_seen: bool,
}

/// A stop line: a bar across the incoming lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct StopLine {
    /// Identity, stable through the drive.
    pub id: u32,
    /// Centre.
    pub centre: Point3<f64>,
    /// Direction of the line itself, in (−π/2, π/2].
    pub theta: f64,
    /// Length along `theta`, metres.
    pub length: f64,
    /// Visible part of its surface now.
    pub visible_fraction: f32,
    /// Seen now or within the last 2 s.
    pub was_seen: bool,
}

/// Everything within ±60 m of the ego vehicle at one instant.
#[derive(Clone, Debug)]
pub struct GroundTruth {
    /// Seconds since the start of the drive.
    pub t_s: f64,
    /// True pose of the ego frame.
    pub world_from_ego: Isometry3<f64>,
    /// Objects.
    pub objects: Vec<Object>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Arrows.
    pub arrows: Vec<Arrow>,
    /// Crosswalks.
    pub crosswalks: Vec<Crosswalk>,
    /// Stop lines.
    pub stop_lines: Vec<StopLine>,
}
