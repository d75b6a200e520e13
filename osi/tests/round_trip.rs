//! Random frames become messages that can be read again and hold finite numbers alone.

use bevrt_osi::{HostMotion, SensorData, VirtualSensor, sensor_data};
use bevrt_runtime::OutputFrame;
use proptest::prelude::*;
use prost::Message;
use zerocopy::IntoBytes;

/// A frame of random bytes, as no pipeline makes it: unknown kinds, numbers that are not finite,
/// counts beyond the capacity.
fn random_frame(mut seed: u64) -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    for chunk in frame.as_mut_bytes()[8..].chunks_mut(8) {
        // SplitMix64.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
    }
    frame
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_frame_becomes_a_message_that_reads_the_same(
        seed: u64,
        height in prop::num::f64::ANY,
        speed in prop::num::f64::ANY,
        yaw_rate in prop::num::f64::ANY,
    ) {
        let sensor = VirtualSensor { id: seed, rear_axle_height_m: height };
        let motion = HostMotion { velocity_mps: [speed, 0.0], yaw_rate_radps: yaw_rate };
        let message = sensor_data(&random_frame(seed), &sensor, Some(&motion));
        let read = SensorData::decode(&*message.encode_to_vec()).expect("it was encoded");
        let text = format!("{message:?}");
        prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
        for object in &message.moving_object {
            let probability = object.header.and_then(|header| header.existence_probability);
            prop_assert!(probability.is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
        prop_assert_eq!(read, message);
    }
}
