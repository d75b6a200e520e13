//! The schema that stands in MCAP traces: the written messages as protobuf descriptors.
//!
//! One file of package `osi3` with OSI's names, numbers and nesting, and those fields and members
//! alone that are written. Whoever has all of OSI 3.8 reads the messages without it.

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet,
};

use crate::messages::kinds::{
    BoundaryColour, BoundaryType, DataQualifier, Kind, MainSign, MarkingColour, MeasurementState,
    MovingType, ReferencePoint, RoadMarkingType, StationaryType, VehicleType,
};

/// Full name of the message that traces hold.
pub const SCHEMA_NAME: &str = "osi3.SensorData";

const PACKAGE: &str = "osi3";
const FILE: &str = "osi3_sensor_data_subset.proto";

/// What a field holds; messages and enums by their name within the package.
#[derive(Clone, Copy)]
enum Holds {
    Double,
    Int64,
    Uint32,
    Uint64,
    Doubles,
    One(&'static str),
    Many(&'static str),
    Enum(&'static str),
}

type Field = (&'static str, i32, Holds);

use Holds::{Double, Doubles, Enum, Int64, Many, One, Uint32, Uint64};

const HEADER: Field = ("header", 1, One("DetectedItemHeader"));

/// Every message that is written, outer ones before those nested in them.
const MESSAGES: &[(&str, &[Field])] = &[
    (
        "InterfaceVersion",
        &[
            ("version_major", 1, Uint32),
            ("version_minor", 2, Uint32),
            ("version_patch", 3, Uint32),
        ],
    ),
    ("Timestamp", &[("seconds", 1, Int64), ("nanos", 2, Uint32)]),
    ("Identifier", &[("value", 1, Uint64)]),
    (
        "Vector3d",
        &[("x", 1, Double), ("y", 2, Double), ("z", 3, Double)],
    ),
    (
        "Dimension3d",
        &[
            ("length", 1, Double),
            ("width", 2, Double),
            ("height", 3, Double),
        ],
    ),
    (
        "Orientation3d",
        &[
            ("roll", 1, Double),
            ("pitch", 2, Double),
            ("yaw", 3, Double),
        ],
    ),
    ("Polygon3d", &[("vertex", 1, Many("Vector3d"))]),
    (
        "MountingPosition",
        &[
            ("position", 1, One("Vector3d")),
            ("orientation", 2, One("Orientation3d")),
        ],
    ),
    (
        "BaseStationary",
        &[
            ("dimension", 1, One("Dimension3d")),
            ("position", 2, One("Vector3d")),
            ("orientation", 3, One("Orientation3d")),
        ],
    ),
    (
        "BaseMoving",
        &[
            ("dimension", 1, One("Dimension3d")),
            ("position", 2, One("Vector3d")),
            ("orientation", 3, One("Orientation3d")),
            ("velocity", 4, One("Vector3d")),
            ("orientation_rate", 6, One("Orientation3d")),
        ],
    ),
    (
        "DetectedItemHeader",
        &[
            ("tracking_id", 1, One("Identifier")),
            ("existence_probability", 3, Double),
            ("age", 4, Double),
            ("measurement_state", 5, Enum(MeasurementState::KIND.path)),
        ],
    ),
    ("MovingObject", &[]),
    (
        "MovingObject.VehicleClassification",
        &[("type", 1, Enum(VehicleType::KIND.path))],
    ),
    (
        "DetectedMovingObject",
        &[
            HEADER,
            ("base", 2, One("BaseMoving")),
            ("base_rmse", 3, One("BaseMoving")),
            ("reference_point", 4, Enum(ReferencePoint::KIND.path)),
            (
                "candidate",
                8,
                Many("DetectedMovingObject.CandidateMovingObject"),
            ),
        ],
    ),
    (
        "DetectedMovingObject.CandidateMovingObject",
        &[
            ("probability", 1, Double),
            ("type", 2, Enum(MovingType::KIND.path)),
            (
                "vehicle_classification",
                3,
                One("MovingObject.VehicleClassification"),
            ),
        ],
    ),
    ("StationaryObject", &[]),
    (
        "StationaryObject.Classification",
        &[("type", 1, Enum(StationaryType::KIND.path))],
    ),
    (
        "DetectedStationaryObject",
        &[
            HEADER,
            ("base", 2, One("BaseStationary")),
            ("base_rmse", 3, One("BaseStationary")),
            (
                "candidate",
                4,
                Many("DetectedStationaryObject.CandidateStationaryObject"),
            ),
        ],
    ),
    (
        "DetectedStationaryObject.CandidateStationaryObject",
        &[
            ("probability", 1, Double),
            ("classification", 2, One("StationaryObject.Classification")),
        ],
    ),
    ("TrafficSign", &[]),
    ("TrafficSign.MainSign", &[]),
    ("TrafficSign.MainSign.Classification", &[]),
    ("RoadMarking", &[]),
    (
        "RoadMarking.Classification",
        &[
            ("type", 1, Enum(RoadMarkingType::KIND.path)),
            ("traffic_main_sign_type", 2, Enum(MainSign::KIND.path)),
            ("monochrome_color", 3, Enum(MarkingColour::KIND.path)),
        ],
    ),
    (
        "DetectedRoadMarking",
        &[
            HEADER,
            ("base", 2, One("BaseStationary")),
            ("base_rmse", 3, One("BaseStationary")),
            (
                "candidate",
                4,
                Many("DetectedRoadMarking.CandidateRoadMarking"),
            ),
        ],
    ),
    (
        "DetectedRoadMarking.CandidateRoadMarking",
        &[
            ("probability", 1, Double),
            ("classification", 2, One("RoadMarking.Classification")),
        ],
    ),
    ("LaneBoundary", &[]),
    (
        "LaneBoundary.BoundaryPoint",
        &[("position", 1, One("Vector3d"))],
    ),
    (
        "LaneBoundary.Classification",
        &[
            ("type", 1, Enum(BoundaryType::KIND.path)),
            ("color", 2, Enum(BoundaryColour::KIND.path)),
        ],
    ),
    (
        "DetectedLaneBoundary",
        &[
            HEADER,
            (
                "candidate",
                2,
                Many("DetectedLaneBoundary.CandidateLaneBoundary"),
            ),
            ("boundary_line", 3, Many("LaneBoundary.BoundaryPoint")),
            ("boundary_line_rmse", 4, Many("LaneBoundary.BoundaryPoint")),
            ("boundary_line_confidences", 5, Doubles),
        ],
    ),
    (
        "DetectedLaneBoundary.CandidateLaneBoundary",
        &[
            ("probability", 1, Double),
            ("classification", 2, One("LaneBoundary.Classification")),
        ],
    ),
    (
        "DetectedEntityHeader",
        &[
            ("measurement_time", 1, One("Timestamp")),
            ("cycle_counter", 2, Uint64),
            ("data_qualifier", 3, Enum(DataQualifier::KIND.path)),
        ],
    ),
    (
        "SensorData",
        &[
            ("version", 1, One("InterfaceVersion")),
            ("timestamp", 2, One("Timestamp")),
            ("sensor_id", 5, One("Identifier")),
            ("mounting_position", 6, One("MountingPosition")),
            ("last_measurement_time", 9, One("Timestamp")),
            ("stationary_object_header", 10, One("DetectedEntityHeader")),
            ("stationary_object", 11, Many("DetectedStationaryObject")),
            ("moving_object_header", 12, One("DetectedEntityHeader")),
            ("moving_object", 13, Many("DetectedMovingObject")),
            ("road_marking_header", 18, One("DetectedEntityHeader")),
            ("road_marking", 19, Many("DetectedRoadMarking")),
            ("lane_boundary_header", 20, One("DetectedEntityHeader")),
            ("lane_boundary", 21, Many("DetectedLaneBoundary")),
            (
                "virtual_detection_area",
                28,
                One("SensorData.VirtualDetectionArea"),
            ),
        ],
    ),
    (
        "SensorData.VirtualDetectionArea",
        &[("polygon", 1, Many("Polygon3d"))],
    ),
];

const KINDS: &[Kind] = &[
    DataQualifier::KIND,
    MeasurementState::KIND,
    ReferencePoint::KIND,
    MovingType::KIND,
    VehicleType::KIND,
    StationaryType::KIND,
    RoadMarkingType::KIND,
    MarkingColour::KIND,
    MainSign::KIND,
    BoundaryType::KIND,
    BoundaryColour::KIND,
];

/// The schema as the bytes of a `FileDescriptorSet`.
pub fn schema_bytes() -> Vec<u8> {
    let file = FileDescriptorProto {
        name: Some(FILE.to_owned()),
        package: Some(PACKAGE.to_owned()),
        message_type: messages_in(""),
        syntax: Some("proto2".to_owned()),
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec()
}

/// The messages that stand in the message `outer` itself; the outermost ones where it is empty.
fn messages_in(outer: &str) -> Vec<DescriptorProto> {
    MESSAGES
        .iter()
        .filter_map(|(path, fields)| Some((*path, name_in(path, outer)?, fields)))
        .map(|(path, name, fields)| DescriptorProto {
            name: Some(name.to_owned()),
            field: fields.iter().map(field).collect(),
            nested_type: messages_in(path),
            enum_type: KINDS
                .iter()
                .filter_map(|kind| Some(enum_of(name_in(kind.path, path)?, kind)))
                .collect(),
            ..DescriptorProto::default()
        })
        .collect()
}

/// The last part of `path`, where the rest of it is `outer`.
fn name_in<'a>(path: &'a str, outer: &str) -> Option<&'a str> {
    let (found, name) = path.rsplit_once('.').unwrap_or(("", path));
    (found == outer).then_some(name)
}

fn enum_of(name: &str, kind: &Kind) -> EnumDescriptorProto {
    let value = |&(name, number): &(&str, i32)| EnumValueDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..EnumValueDescriptorProto::default()
    };
    EnumDescriptorProto {
        name: Some(name.to_owned()),
        value: kind.members.iter().map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

fn field(&(name, number, holds): &Field) -> FieldDescriptorProto {
    let (label, kind, path) = match holds {
        Double => (Label::Optional, Type::Double, None),
        Int64 => (Label::Optional, Type::Int64, None),
        Uint32 => (Label::Optional, Type::Uint32, None),
        Uint64 => (Label::Optional, Type::Uint64, None),
        Doubles => (Label::Repeated, Type::Double, None),
        One(path) => (Label::Optional, Type::Message, Some(path)),
        Many(path) => (Label::Repeated, Type::Message, Some(path)),
        Enum(path) => (Label::Optional, Type::Enum, Some(path)),
    };
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(kind.into()),
        type_name: path.map(|path| format!(".{PACKAGE}.{path}")),
        ..FieldDescriptorProto::default()
    }
}

#[cfg(test)]
mod tests;
