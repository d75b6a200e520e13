//! Writes made-up frames as both kinds of traces, and as JSON what stands in them:
//! `cargo run -p bevrt-osi --example write_traces -- FOLDER`.

use std::error::Error;
use std::path::PathBuf;

use bevrt_osi::{
    HostMotion, SensorData, TraceFormat, TraceInfo, TraceWriter, UtcTime, VirtualSensor,
    sensor_data, trace_file_name,
};
use bevrt_runtime::{
    CoverageState, FramePoint, HealthState, MarkingColour, MarkingType, ObjectClass, OutputArrow,
    OutputCrosswalk, OutputFrame, OutputLane, OutputObject, OutputStopLine,
};

const FRAMES: u64 = 12;

/// Numbers that differ from field to field.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, least: f32, most: f32) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        least + (most - least) * (self.0 >> 8) as f32 / (1 << 24) as f32
    }

    fn point(&mut self) -> FramePoint {
        FramePoint {
            x_m: self.next(-50.0, 50.0),
            y_m: self.next(-50.0, 50.0),
            z_m: self.next(-1.0, 1.0),
        }
    }
}

fn object(numbers: &mut Numbers, class: ObjectClass, id: u32) -> OutputObject {
    OutputObject {
        age_ns: i64::from(id) * 100_000_000,
        id,
        class: class.into(),
        is_coasting: id.is_multiple_of(3).into(),
        x_m: numbers.next(-50.0, 50.0),
        y_m: numbers.next(-50.0, 50.0),
        z_m: numbers.next(0.0, 2.0),
        length_m: numbers.next(0.3, 12.0),
        width_m: numbers.next(0.3, 2.5),
        height_m: numbers.next(0.5, 4.0),
        yaw_rad: numbers.next(-3.0, 3.0),
        vx_mps: numbers.next(-20.0, 20.0),
        vy_mps: numbers.next(-20.0, 20.0),
        yaw_rate_radps: numbers.next(-1.0, 1.0),
        sigma_x_m: numbers.next(0.1, 1.0),
        sigma_y_m: numbers.next(0.1, 1.0),
        sigma_yaw_rad: numbers.next(0.01, 0.3),
        sigma_vx_mps: numbers.next(0.1, 1.0),
        sigma_vy_mps: numbers.next(0.1, 1.0),
        sigma_size_ratio: numbers.next(0.01, 0.3),
        confidence: numbers.next(0.0, 1.0),
        ..OutputObject::EMPTY
    }
}

/// A frame with something of every kind; health and the paint change from frame to frame.
fn frame(sequence: u64) -> Box<OutputFrame> {
    let mut numbers = Numbers(sequence as u32);
    let mut frame = OutputFrame::boxed();
    frame.sequence = sequence;
    frame.stamp_ns = 5_000_000_000 + 100_000_001 * sequence as i64;
    frame.now_ns = frame.stamp_ns + 60_000_000;
    frame.health.state = HealthState::ALL[sequence as usize % HealthState::ALL.len()].into();
    for (id, &class) in (1..).zip(ObjectClass::ALL) {
        let object = object(&mut numbers, class, id);
        frame.try_push_object(object).expect("there is room");
    }
    for (id, &marking) in (20..).zip(MarkingType::ALL) {
        let mut lane = OutputLane {
            age_ns: 700_000_000,
            id,
            marking: marking.into(),
            colour: MarkingColour::ALL[sequence as usize % 2].into(),
            confidence: numbers.next(0.0, 1.0),
            sigma_lateral_m: numbers.next(0.05, 0.5),
            ..OutputLane::EMPTY
        };
        lane.set_points((0..10 + id).map(|_| numbers.point()));
        frame.try_push_lane(lane).expect("there is room");
    }
    for directions in 1..16 {
        let FramePoint { x_m, y_m, z_m } = numbers.point();
        let arrow = OutputArrow {
            id: 40 + u32::from(directions),
            directions,
            x_m,
            y_m,
            z_m,
            yaw_rad: numbers.next(-3.0, 3.0),
            sigma_position_m: numbers.next(0.1, 1.0),
            confidence: numbers.next(0.0, 1.0),
            ..OutputArrow::EMPTY
        };
        frame.try_push_arrow(arrow).expect("there is room");
    }
    let mut crosswalk = OutputCrosswalk {
        id: 60,
        theta_rad: numbers.next(-1.5, 1.5),
        confidence: numbers.next(0.0, 1.0),
        ..OutputCrosswalk::EMPTY
    };
    crosswalk.set_points((0..4).map(|_| numbers.point()));
    frame.try_push_crosswalk(crosswalk).expect("there is room");
    let mut stop_line = OutputStopLine {
        confidence: numbers.next(0.0, 1.0),
        ..OutputStopLine::EMPTY
    };
    stop_line.set_points((0..2).map(|_| numbers.point()));
    frame.try_push_stop_line(stop_line).expect("there is room");
    for sector in frame.coverage.iter_mut().skip(sequence as usize) {
        sector.state = CoverageState::SeenNow.into();
        sector.range_m = numbers.next(5.0, 70.0);
    }
    frame
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("expected a folder")?;
    let folder = PathBuf::from(folder);
    let sensor = VirtualSensor {
        id: 3,
        rear_axle_height_m: 0.31,
    };
    let motion = HostMotion {
        velocity_mps: [11.0, 0.1],
        yaw_rate_radps: 0.2,
    };
    let messages: Vec<SensorData> = (0..FRAMES)
        // The motion is not known at every stamp.
        .map(|sequence| {
            let motion = (sequence % 4 != 3).then_some(&motion);
            sensor_data(&frame(sequence), &sensor, motion)
        })
        .collect();
    let info = TraceInfo {
        description: "made-up frames".to_owned(),
        data_sources: "an example".to_owned(),
        creation_time: UtcTime::from_unix_seconds(1_629_299_142),
    };
    for format in [TraceFormat::Osi, TraceFormat::Mcap] {
        let name = trace_file_name(info.creation_time, FRAMES, "made-up", format);
        let mut writer = TraceWriter::create(&folder.join(name), &info)?;
        for message in &messages {
            writer.write(message)?;
        }
        writer.finish()?;
    }
    let json = serde_json::to_string_pretty(&messages)?;
    std::fs::write(folder.join("messages.json"), json)?;
    Ok(())
}
