//! The object classes that scores are given for.

use std::fmt;

/// A class of the scores: the classes of the output frame merged to nuScenes' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum ScoreClass {
    /// Cars and vans.
    Car,
    /// Trucks.
    Truck,
    /// Buses.
    Bus,
    /// Motorcycles.
    Motorcycle,
    /// Cyclists.
    Bicycle,
    /// Pedestrians.
    Pedestrian,
    /// Traffic cones.
    TrafficCone,
}

impl ScoreClass {
    /// Number of classes.
    pub const COUNT: usize = 7;
    /// Every class.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Car,
        Self::Truck,
        Self::Bus,
        Self::Motorcycle,
        Self::Bicycle,
        Self::Pedestrian,
        Self::TrafficCone,
    ];

    /// The merged class of a class number of the output frame; `None` for an unknown number.
    pub fn of_object_class(class: u8) -> Option<Self> {
        Some(match class {
            0 | 1 => Self::Car,
            2 => Self::Truck,
            3 => Self::Bus,
            4 => Self::Motorcycle,
            5 => Self::Bicycle,
            6 => Self::Pedestrian,
            7 => Self::TrafficCone,
            _ => return None,
        })
    }

    /// The name in reports, as nuScenes has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Bus => "bus",
            Self::Motorcycle => "motorcycle",
            Self::Bicycle => "bicycle",
            Self::Pedestrian => "pedestrian",
            Self::TrafficCone => "traffic_cone",
        }
    }

    /// How far from the ego origin boxes are scored at nuScenes ranges, metres.
    pub fn range_m(self) -> f64 {
        match self {
            Self::Car | Self::Truck | Self::Bus => 50.0,
            Self::Motorcycle | Self::Bicycle | Self::Pedestrian => 40.0,
            Self::TrafficCone => 30.0,
        }
    }

    /// Whether headings are scored.
    pub fn has_heading(self) -> bool {
        self != Self::TrafficCone
    }

    /// Whether velocities are scored.
    pub fn moves(self) -> bool {
        self != Self::TrafficCone
    }
}

impl fmt::Display for ScoreClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
