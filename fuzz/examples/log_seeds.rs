//! Writes the first seeds of the `log` target: a small drive as the project writes it, and the same
//! without compression and checksums, where a changed byte reaches the messages.
//!
//! `cargo run -p bevrt-fuzz --example log_seeds`

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

use bevrt_calibration::{Ego, Pose, Rig, World};
use bevrt_hil::FrameTruth;
use bevrt_hil::logs::{LogReader, LogWriter, VehicleMotionRecord};
use bevrt_runtime::{OutputFrame, Stamp};

fn at(milliseconds: i64) -> Stamp {
    Stamp::from_nanoseconds(milliseconds * 1_000_000)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rig_file = folder.join("../runtime/tests/fixtures/reduced/golden/case0/rig.toml");
    let rig = Rig::from_toml_file(rig_file)?;
    let small = folder.join("seeds/log/small.mcap");
    let mut writer = LogWriter::create(&small)?;
    writer.write_rig(&rig, at(0))?;
    for step in 0..2_i64 {
        let time = 100 + 100 * step;
        for camera in rig.cameras() {
            let rgb = vec![(step * 100) as u8; 32 * 16 * 3];
            writer.write_image(&camera.name, at(time), at(time + 20), &rgb, [32, 16])?;
        }
        let motion = VehicleMotionRecord {
            stamp_ns: at(time).nanoseconds(),
            speed_mps: 7.5,
            yaw_rate_radps: 0.1,
        };
        writer.write_vehicle_motion(at(time + 5), &motion)?;
        writer.write_pose(at(time), &Pose::<World, Ego>::identity())?;
        let truth = FrameTruth {
            stamp_ns: at(time).nanoseconds(),
            ..FrameTruth::default()
        };
        writer.write_truth(&truth)?;
    }
    let mut frame = OutputFrame::boxed();
    frame.stamp_ns = at(200).nanoseconds();
    frame.now_ns = at(290).nanoseconds();
    writer.write_frame(&frame)?;
    writer.finish()?;

    let mut plain = mcap::WriteOptions::new()
        .compression(None)
        .calculate_chunk_crcs(false)
        .calculate_data_section_crc(false)
        .calculate_summary_section_crc(false)
        .calculate_attachment_crcs(false)
        .create(Cursor::new(Vec::new()))?;
    let reader = LogReader::open(&small)?;
    let mut messages = reader.messages(|topic| !topic.schema.is_empty())?;
    let mut sequence = 0;
    while let Some(message) = messages.next_message()? {
        let schema = plain.add_schema(message.schema, message.encoding, b"")?;
        let channel =
            plain.add_channel(schema, message.topic, message.encoding, &Default::default())?;
        let header = mcap::records::MessageHeader {
            channel_id: channel,
            sequence,
            log_time: message.log_time_ns,
            publish_time: message.log_time_ns,
        };
        plain.write_to_known_channel(&header, message.data)?;
        sequence += 1;
    }
    plain.finish()?;
    let bytes = plain.into_inner().into_inner();
    std::fs::write(folder.join("seeds/log/plain.mcap"), bytes)?;
    Ok(())
}
