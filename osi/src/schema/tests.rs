use bevrt_runtime::{
    COVERAGE_SECTORS, CoverageState, FramePoint, MAX_LANE_POINTS, ObjectClass, OutputArrow,
    OutputCrosswalk, OutputFrame, OutputLane, OutputObject, OutputStopLine,
};

use super::*;
use crate::convert::{VirtualSensor, sensor_data};
use crate::host_motion::HostMotion;

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;

/// The messages of the schema by path, with every enum.
struct Schema(
    Vec<(String, DescriptorProto)>,
    Vec<(String, EnumDescriptorProto)>,
);

impl Schema {
    fn read() -> Self {
        let set = FileDescriptorSet::decode(&*schema_bytes()).expect("it is a descriptor set");
        let mut schema = Self(Vec::new(), Vec::new());
        for message in &set.file[0].message_type {
            schema.add(".osi3", message);
        }
        schema
    }

    fn add(&mut self, outer: &str, message: &DescriptorProto) {
        let path = format!("{outer}.{}", message.name());
        for kind in &message.enum_type {
            self.1
                .push((format!("{path}.{}", kind.name()), kind.clone()));
        }
        for nested in &message.nested_type {
            self.add(&path, nested);
        }
        self.0.push((path, message.clone()));
    }

    fn message(&self, path: &str) -> &DescriptorProto {
        let found = self.0.iter().find(|(name, _)| name == path);
        &found.unwrap_or_else(|| panic!("no message {path}")).1
    }

    /// Walks encoded bytes and notes each field as `path.name`; a field, a wire type or a member
    /// that the schema lacks fails.
    fn walk(&self, path: &str, mut bytes: &[u8], seen: &mut Vec<String>) {
        let message = self.message(path);
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = message
                .field
                .iter()
                .find(|field| field.number() as u64 == key >> 3)
                .unwrap_or_else(|| panic!("{path} has no field {}", key >> 3));
            seen.push(format!("{path}.{}", field.name()));
            match (key & 7, field.r#type()) {
                (VARINT, Type::Int64 | Type::Uint32 | Type::Uint64) => drop(varint(&mut bytes)),
                (VARINT, Type::Enum) => {
                    let number = varint(&mut bytes) as i32;
                    let kind = self.1.iter().find(|(name, _)| name == field.type_name());
                    let members = &kind.expect("the enum is there").1.value;
                    assert!(
                        members.iter().any(|m| m.number() == number),
                        "{path} {number}"
                    );
                }
                (EIGHT_BYTES, Type::Double) => bytes = &bytes[8..],
                (LENGTH, Type::Message) => {
                    let length = varint(&mut bytes) as usize;
                    self.walk(field.type_name(), &bytes[..length], seen);
                    bytes = &bytes[length..];
                }
                (wire, kind) => panic!("{path}.{}: {kind:?} as wire type {wire}", field.name()),
            }
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

/// A frame with something of each kind.
fn full_frame() -> Box<OutputFrame> {
    let point = |step: usize| FramePoint {
        x_m: step as f32,
        y_m: 1.0,
        z_m: 0.0,
    };
    let mut frame = OutputFrame::boxed();
    frame.sequence = 1;
    frame.stamp_ns = 1_000_000_001;
    frame.now_ns = 1_100_000_001;
    for class in [ObjectClass::Car, ObjectClass::Cone] {
        let object = OutputObject {
            id: 1,
            class: class.into(),
            ..OutputObject::EMPTY
        };
        frame.try_push_object(object).expect("there is room");
    }
    let mut lane = OutputLane::EMPTY;
    lane.set_points((0..MAX_LANE_POINTS).map(point));
    frame.try_push_lane(lane).expect("there is room");
    let arrow = OutputArrow {
        directions: 1,
        ..OutputArrow::EMPTY
    };
    frame.try_push_arrow(arrow).expect("there is room");
    let mut crosswalk = OutputCrosswalk::EMPTY;
    crosswalk.set_points((0..4).map(point));
    frame.try_push_crosswalk(crosswalk).expect("there is room");
    let mut stop_line = OutputStopLine::EMPTY;
    stop_line.set_points((0..2).map(point));
    frame.try_push_stop_line(stop_line).expect("there is room");
    for sector in 0..COVERAGE_SECTORS {
        frame.coverage[sector].state = CoverageState::SeenNow.into();
        frame.coverage[sector].range_m = 30.0;
    }
    frame
}

#[test]
fn written_messages_use_every_field_of_the_schema_and_no_other() {
    let schema = Schema::read();
    let sensor = VirtualSensor {
        id: 1,
        rear_axle_height_m: 0.3,
    };
    let motion = HostMotion {
        velocity_mps: [1.0, 0.0],
        yaw_rate_radps: 0.1,
    };
    let bytes = sensor_data(&full_frame(), &sensor, Some(&motion)).encode_to_vec();
    let mut seen = Vec::new();
    schema.walk(".osi3.SensorData", &bytes, &mut seen);
    for (path, message) in &schema.0 {
        for field in &message.field {
            let name = format!("{path}.{}", field.name());
            assert!(seen.contains(&name), "{name} is never written");
        }
    }
}

#[test]
fn every_type_of_the_schema_is_in_it() {
    let schema = Schema::read();
    for (path, message) in &schema.0 {
        for field in &message.field {
            let is_there = match field.r#type() {
                Type::Message => schema.0.iter().any(|(name, _)| name == field.type_name()),
                Type::Enum => schema.1.iter().any(|(name, _)| name == field.type_name()),
                _ => field.type_name.is_none(),
            };
            assert!(is_there, "{path}.{}: {}", field.name(), field.type_name());
        }
    }
    assert_eq!(schema.1.len(), KINDS.len());
    assert_eq!(schema.0.len(), MESSAGES.len());
}
