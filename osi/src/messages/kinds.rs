//! OSI's enums: those members that are written.

/// An enum as the schema tells it.
pub(crate) struct Kind {
    /// Its name in OSI, with the messages that it stands in.
    pub(crate) path: &'static str,
    /// Names and numbers.
    pub(crate) members: &'static [(&'static str, i32)],
}

macro_rules! kind {
    ($(#[$meta:meta])* $name:ident in $path:literal {
        $($(#[$variant_meta:meta])* $variant:ident = $number:literal, $text:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$variant_meta])* $variant = $number,)+
        }

        impl $name {
            pub(crate) const KIND: Kind = Kind {
                path: $path,
                members: &[$(($text, $number)),+],
            };
        }
    };
}

kind! {
    /// How far data can be relied on.
    DataQualifier in "DetectedEntityHeader.DataQualifier" {
        /// Not said.
        Unknown = 0, "DATA_QUALIFIER_UNKNOWN";
        /// All of it is there.
        Available = 2, "DATA_QUALIFIER_AVAILABLE";
        /// Usable, with something missing.
        AvailableReduced = 3, "DATA_QUALIFIER_AVAILABLE_REDUCED";
        /// Not to be used.
        NotAvailable = 4, "DATA_QUALIFIER_NOT_AVAILABLE";
    }
}

kind! {
    /// Whether a thing is seen.
    MeasurementState in "DetectedItemHeader.MeasurementState" {
        /// Not said.
        Unknown = 0, "MEASUREMENT_STATE_UNKNOWN";
        /// Seen in this frame.
        Measured = 2, "MEASUREMENT_STATE_MEASURED";
        /// Extrapolated or remembered.
        Predicted = 3, "MEASUREMENT_STATE_PREDICTED";
    }
}

kind! {
    /// Which point of an object is measured.
    ReferencePoint in "DetectedMovingObject.ReferencePoint" {
        /// Not said.
        Unknown = 0, "REFERENCE_POINT_UNKNOWN";
        /// Centre of the box.
        Centre = 2, "REFERENCE_POINT_CENTER";
    }
}

kind! {
    /// What moves.
    MovingType in "MovingObject.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// Vehicle, with or without a motor.
        Vehicle = 2, "TYPE_VEHICLE";
        /// Pedestrian.
        Pedestrian = 3, "TYPE_PEDESTRIAN";
    }
}

kind! {
    /// What drives.
    VehicleType in "MovingObject.VehicleClassification.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// Passenger car.
        Car = 4, "TYPE_CAR";
        /// Van.
        Van = 6, "TYPE_VAN";
        /// Truck.
        HeavyTruck = 7, "TYPE_HEAVY_TRUCK";
        /// Motorcycle.
        Motorcycle = 10, "TYPE_MOTORCYCLE";
        /// Bicycle.
        Bicycle = 11, "TYPE_BICYCLE";
        /// Bus.
        Bus = 12, "TYPE_BUS";
    }
}

kind! {
    /// What stands still.
    StationaryType in "StationaryObject.Classification.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// Cone, beacon.
        ConstructionSiteElement = 16, "TYPE_CONSTRUCTION_SITE_ELEMENT";
    }
}

kind! {
    /// What kind of paint.
    RoadMarkingType in "RoadMarking.Classification.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// A symbol with the meaning of a traffic sign.
        SymbolicTrafficSign = 3, "TYPE_SYMBOLIC_TRAFFIC_SIGN";
    }
}

kind! {
    /// Colour of a symbol.
    MarkingColour in "RoadMarking.Classification.Color" {
        /// Not known.
        Unknown = 0, "COLOR_UNKNOWN";
    }
}

kind! {
    /// Traffic signs that road markings stand for.
    MainSign in "TrafficSign.MainSign.Classification.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// Known, without a number.
        Other = 1, "TYPE_OTHER";
        /// Stop, here a stop line.
        Stop = 17, "TYPE_STOP";
        /// Left.
        Left = 20, "TYPE_PRESCRIBED_LEFT_TURN";
        /// Right.
        Right = 21, "TYPE_PRESCRIBED_RIGHT_TURN";
        /// Straight on.
        Straight = 22, "TYPE_PRESCRIBED_STRAIGHT";
        /// Left or straight on.
        LeftStraight = 25, "TYPE_PRESCRIBED_LEFT_TURN_AND_STRAIGHT";
        /// Right or straight on.
        RightStraight = 26, "TYPE_PRESCRIBED_RIGHT_TURN_AND_STRAIGHT";
        /// Left or right.
        LeftRight = 27, "TYPE_PRESCRIBED_LEFT_TURN_AND_RIGHT_TURN";
        /// Left, right or straight on.
        LeftRightStraight = 28, "TYPE_PRESCRIBED_LEFT_TURN_RIGHT_TURN_AND_STRAIGHT";
        /// Crosswalk.
        ZebraCrossing = 87, "TYPE_ZEBRA_CROSSING";
    }
}

kind! {
    /// How a line is made.
    BoundaryType in "LaneBoundary.Classification.Type" {
        /// Not known.
        Unknown = 0, "TYPE_UNKNOWN";
        /// Unbroken paint.
        SolidLine = 3, "TYPE_SOLID_LINE";
        /// Broken paint.
        DashedLine = 4, "TYPE_DASHED_LINE";
        /// End of the road surface.
        RoadEdge = 6, "TYPE_ROAD_EDGE";
    }
}

kind! {
    /// Colour of a line.
    BoundaryColour in "LaneBoundary.Classification.Color" {
        /// Not known.
        Unknown = 0, "COLOR_UNKNOWN";
        /// White.
        White = 3, "COLOR_WHITE";
        /// Yellow.
        Yellow = 4, "COLOR_YELLOW";
    }
}
