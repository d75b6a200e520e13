//! The kinds that stand in a frame as integers, and their names.

/// A number from outside that is no member of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind {
    /// Which kind was asked for.
    pub kind: &'static str,
    /// The number that it does not have.
    pub found: u8,
}

impl std::fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} has no number {}", self.kind, self.found)
    }
}

impl std::error::Error for UnknownKind {}

/// An enum whose numbers are part of the frame's layout: explicit, append-only.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $number:literal, $text:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_meta])* $variant = $number,)+
        }

        impl $name {
            /// Every member, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in manifests, logs and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The member of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.name() == name)
            }
        }

        impl TryFrom<u8> for $name {
            type Error = UnknownKind;

            fn try_from(number: u8) -> Result<Self, UnknownKind> {
                match number {
                    $($number => Ok(Self::$variant),)+
                    found => Err(UnknownKind { kind: stringify!($name), found }),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(member: $name) -> u8 {
                member as u8
            }
        }
    };
}

wire_enum! {
    /// What an object is.
    ObjectClass {
        /// Passenger car.
        Car = 0, "car";
        /// Van.
        Van = 1, "van";
        /// Truck.
        Truck = 2, "truck";
        /// Bus.
        Bus = 3, "bus";
        /// Motorcycle with its rider.
        Motorcycle = 4, "motorcycle";
        /// Cyclist with the bicycle.
        Cyclist = 5, "cyclist";
        /// Pedestrian.
        Pedestrian = 6, "pedestrian";
        /// Traffic cone.
        Cone = 7, "cone";
    }
}

wire_enum! {
    /// How a lane line is made.
    MarkingType {
        /// Unbroken paint.
        Solid = 0, "solid";
        /// Broken paint.
        Dashed = 1, "dashed";
        /// Two lines side by side.
        Double = 2, "double";
        /// The end of the road surface: kerb, verge.
        RoadEdge = 3, "road_edge";
    }
}

wire_enum! {
    /// Colour of a lane line.
    MarkingColour {
        /// White.
        White = 0, "white";
        /// Yellow.
        Yellow = 1, "yellow";
    }
}

wire_enum! {
    /// How far a frame can be trusted.
    HealthState {
        /// Everything that was asked for was there.
        Ok = 0, "ok";
        /// Usable, with something missing: see the reasons.
        Degraded = 1, "degraded";
        /// Not to be used.
        Fault = 2, "fault";
    }
}

wire_enum! {
    /// What a camera gave to a frame.
    CameraState {
        /// Its image is in the frame.
        Ok = 0, "ok";
        /// No image came in time; the network saw grey and no taps into it.
        Missing = 1, "missing";
        /// The image came after its set was closed.
        Late = 2, "late";
        /// The picture does not change any more.
        Frozen = 3, "frozen";
        /// The stamp was seen before.
        Repeated = 4, "repeated";
        /// The stamp is older than one that was seen before.
        OutOfOrder = 5, "out_of_order";
        /// The exposure is too far from that of the reference camera.
        OutOfTolerance = 6, "out_of_tolerance";
        /// Switched off by the calibration or the caller.
        Disabled = 7, "disabled";
        /// The picture shows nothing: one tone (a covered lens, over-exposure) or nothing but noise.
        Blind = 8, "blind";
    }
}

wire_enum! {
    /// What is known about our own motion at the stamp of a frame.
    EgoMotionState {
        /// Known at the stamp.
        Ok = 0, "ok";
        /// Extrapolated within the limit.
        Extrapolated = 1, "extrapolated";
        /// Nothing has come yet.
        Absent = 2, "absent";
        /// The last data is too old.
        Stale = 3, "stale";
        /// There is a gap between the stamps in question.
        Gap = 4, "gap";
        /// The pose jumped.
        Jump = 5, "jump";
        /// Speed or yaw rate beyond what a vehicle does.
        Implausible = 6, "implausible";
        /// Known at the stamp, but speed and yaw rate have been the very same for long.
        Frozen = 7, "frozen";
    }
}

wire_enum! {
    /// What a queue slot gave to a frame.
    SlotState {
        /// Holds an aligned map.
        Valid = 0, "valid";
        /// No map near its time has been stored yet.
        Empty = 1, "empty";
        /// There is a map, but the motion since then is not known.
        MotionUnknown = 2, "motion_unknown";
        /// Left empty on purpose.
        Disabled = 3, "disabled";
    }
}

wire_enum! {
    /// What is known about a sector around the vehicle.
    CoverageState {
        /// Nothing is known: an empty list says nothing about it.
        Unseen = 0, "unseen";
        /// Seen earlier, remembered by the feature queue.
        History = 1, "history";
        /// Seen by a camera of this frame.
        SeenNow = 2, "seen_now";
    }
}

/// A set of directions that an arrow shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrowDirections(u8);

impl ArrowDirections {
    /// Straight on.
    pub const STRAIGHT: Self = Self(1);
    /// To the left.
    pub const LEFT: Self = Self(2);
    /// To the right.
    pub const RIGHT: Self = Self(4);
    /// Back.
    pub const U_TURN: Self = Self(8);

    /// The set as bits: straight 1, left 2, right 4, u-turn 8.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The union of both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl TryFrom<u8> for ArrowDirections {
    type Error = UnknownKind;

    fn try_from(bits: u8) -> Result<Self, UnknownKind> {
        match bits {
            1..=15 => Ok(Self(bits)),
            found => Err(UnknownKind {
                kind: "ArrowDirections",
                found,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_both_ways() {
        for &class in ObjectClass::ALL {
            assert_eq!(ObjectClass::try_from(u8::from(class)), Ok(class));
            assert_eq!(ObjectClass::from_name(class.name()), Some(class));
        }
        assert_eq!(ObjectClass::ALL.len(), 8);
        assert_eq!(u8::from(ObjectClass::Cone), 7);
    }

    #[test]
    fn a_number_without_a_member_is_refused() {
        assert_eq!(
            MarkingType::try_from(4),
            Err(UnknownKind {
                kind: "MarkingType",
                found: 4
            })
        );
        assert!(ArrowDirections::try_from(0).is_err());
        assert!(ArrowDirections::try_from(16).is_err());
        let fork = ArrowDirections::STRAIGHT.with(ArrowDirections::LEFT);
        assert_eq!(fork.bits(), 3);
        assert!(fork.contains(ArrowDirections::LEFT) && !fork.contains(ArrowDirections::RIGHT));
    }
}
