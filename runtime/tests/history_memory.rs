//! Past maps in the provider's memory give what they give on the host, to the bit: the CPU provider
//! runs the same operators as the runtime's own aligner, in the same order.

use std::path::{Path, PathBuf};

use bevrt_calibration::{Ego, Odom, Pose, Rig};
use bevrt_runtime::{
    EngineLoadError, FrozenCheck, HistoryMemory, ImageView, LibraryError, OutputFrame, Pipeline,
    PipelineOptions, PixelFormat, QueueMode, RawTensor, RawValues, SetupError, SlotState, Span,
    Stamp, StepOutcome,
};
use nalgebra::{UnitQuaternion, Vector3};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A pipeline of the package with the rig of its golden case; `None` without ONNX Runtime.
fn pipeline(
    package: &Path,
    memory: HistoryMemory,
    change: impl Fn(&mut PipelineOptions),
) -> Option<Pipeline> {
    let rig = Rig::from_toml_file(package.join("golden/case0/rig.toml")).expect("a sound rig");
    let mut options = PipelineOptions::new(package, rig);
    options.engine.intra_op_threads = 1;
    options.engine.history_memory = memory;
    // Noise is what a camera behind a curtain gives.
    options.frozen_check = FrozenCheck::Off;
    change(&mut options);
    match Pipeline::new(options) {
        Ok(pipeline) => Some(pipeline),
        Err(SetupError::Engine(EngineLoadError::Library(LibraryError::NotFound { .. }))) => {
            println!("SKIPPED: no ONNX Runtime is here; `cargo xtask test` brings one");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// One pipeline for each place where maps may wait.
fn both(package: &Path, change: impl Fn(&mut PipelineOptions)) -> Option<[Pipeline; 2]> {
    Some([
        pipeline(package, HistoryMemory::Host, &change)?,
        pipeline(package, HistoryMemory::Provider, &change)?,
    ])
}

fn milliseconds(value: i64) -> Stamp {
    Stamp::ZERO + Span::from_milliseconds(value)
}

/// A curve at 8 m/s.
fn pose_at(stamp: Stamp) -> Pose<Odom, Ego> {
    let (speed_mps, yaw_rate_radps) = (8.0, 0.25);
    let yaw = yaw_rate_radps * stamp.seconds();
    let radius_m = speed_mps / yaw_rate_radps;
    let place = Vector3::new(radius_m * yaw.sin(), radius_m * (1.0 - yaw.cos()), 0.0);
    Pose::new(UnitQuaternion::from_euler_angles(0.0, 0.0, yaw), place)
}

/// Noise that no camera and no stamp shares with another, over a slope.
fn picture(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    (0..width * height * 3)
        .map(|at| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            ((at / 3 % width) * 160 / width + (state >> 27)) as u8
        })
        .collect()
}

fn push_images(pipeline: &mut Pipeline, stamp: Stamp) {
    let cameras = pipeline.rig().cameras().len();
    for camera in 0..cameras {
        let intrinsics = pipeline.rig().cameras()[camera].intrinsics;
        let (width, height) = (intrinsics.width(), intrinsics.height());
        let seed = (stamp.nanoseconds() / 1_000_000) as u32 * 16 + camera as u32;
        let bytes = picture(width, height, seed);
        let image = ImageView::packed(PixelFormat::Rgb, width, height, &bytes).expect("it fits");
        pipeline
            .push_image(camera, &image, stamp, stamp)
            .expect("time goes on");
    }
}

/// A set with its pose and its frame.
fn step(pipeline: &mut Pipeline, stamp: Stamp, has_pose: bool) -> Box<OutputFrame> {
    // The images come first: they are what tells that time was set back.
    push_images(pipeline, stamp);
    if has_pose {
        pipeline
            .push_pose(stamp, &pose_at(stamp))
            .expect("time goes on");
    }
    let mut frame = OutputFrame::boxed();
    let outcome = pipeline.step(stamp + Span::from_milliseconds(20), &mut frame);
    assert_eq!(outcome, Ok(StepOutcome::Frame));
    frame
}

/// All that went into the network and came out, by name, as bits.
fn tensors(pipeline: &mut Pipeline) -> Vec<(String, Vec<u32>)> {
    let mut found = Vec::new();
    let mut visit = |tensor: RawTensor<'_>| {
        let bits = match tensor.values {
            RawValues::F32(values) => values.iter().map(|value| value.to_bits()).collect(),
            RawValues::I32(values) => values.iter().map(|&value| value as u32).collect(),
        };
        found.push((tensor.name.to_owned(), bits));
    };
    pipeline.raw_inputs(&mut visit).expect("it has them");
    pipeline.raw_outputs(&mut visit).expect("it has them");
    found
}

/// Steps all pipelines and holds their frames and tensors against each other; the states of the slots.
fn same_step(pipelines: &mut [Pipeline; 2], stamp: Stamp, has_pose: bool) -> Vec<SlotState> {
    let [host, provider] = pipelines;
    let frame = step(host, stamp, has_pose);
    let other = step(provider, stamp, has_pose);
    assert!(
        frame.as_frame_bytes() == other.as_frame_bytes(),
        "frames differ at {stamp:?}"
    );
    for ((name, expected), (_, found)) in tensors(host).iter().zip(tensors(provider)) {
        assert!(*expected == found, "{name} differs at {stamp:?}");
    }
    let slots = frame.health.slots().iter();
    slots
        .map(|slot| SlotState::try_from(slot.state).expect("a known state"))
        .collect()
}

fn history(pipeline: &mut Pipeline) -> Vec<u32> {
    let tensors = tensors(pipeline);
    let history = tensors.into_iter().find(|(name, _)| name == "history");
    history.expect("it has one").1
}

#[test]
fn the_network_that_ships_gives_the_same_frames() {
    let Some(mut pipelines) = both(&folder("../models/packages/tiny"), |_| {}) else {
        return;
    };
    let mut states = Vec::new();
    for step in 0..8 {
        states = same_step(&mut pipelines, milliseconds(step * 150), true);
    }
    assert_eq!(states[..2], [SlotState::Valid; 2]);
    assert!(history(&mut pipelines[1]).iter().any(|&bits| bits != 0));
}

#[test]
fn a_ring_that_wraps_a_gap_in_the_motion_and_a_reset_give_the_same_frames() {
    let Some(mut pipelines) = both(&folder("tests/fixtures/reduced"), |_| {}) else {
        return;
    };
    let mut seen = Vec::new();
    let mut drive = |pipelines: &mut [Pipeline; 2], steps: std::ops::Range<i64>| {
        for step in steps {
            // For a while there is no pose: what is older than that cannot be related to now.
            let has_pose = !(70..76).contains(&step);
            seen.extend(same_step(pipelines, milliseconds(step * 100), has_pose));
        }
    };
    // Two slots of half a second have 23 places: three rounds and more.
    drive(&mut pipelines, 0..80);
    for pipeline in &mut pipelines {
        pipeline.reset();
    }
    drive(&mut pipelines, 10..30);
    // Back in time: everything begins anew by itself.
    drive(&mut pipelines, 0..12);
    for state in [SlotState::Empty, SlotState::Valid, SlotState::MotionUnknown] {
        assert!(seen.contains(&state), "{state:?}");
    }
}

#[test]
fn a_network_that_aligns_by_itself_gets_the_same_maps() {
    let Some(mut pipelines) = both(&folder("tests/fixtures/bevdet_like"), |_| {}) else {
        return;
    };
    for step in 0..16 {
        same_step(&mut pipelines, milliseconds(step * 100), true);
    }
    let [host, provider] = &mut pipelines;
    assert!(history(provider).iter().any(|&bits| bits != 0));
    assert_eq!(history(host), history(provider));
}

#[test]
fn modes_for_comparisons_are_the_same_and_an_empty_history_is_zero() {
    for mode in [QueueMode::Unaligned, QueueMode::Empty] {
        let package = folder("tests/fixtures/reduced");
        let Some(mut pipelines) = both(&package, |options| options.history = mode) else {
            return;
        };
        for step in 0..15 {
            same_step(&mut pipelines, milliseconds(step * 100), true);
        }
        let is_zero = history(&mut pipelines[1]).iter().all(|&bits| bits == 0);
        assert_eq!(is_zero, mode == QueueMode::Empty);
    }
}

#[test]
fn steps_in_two_halves_give_the_same_frames() {
    let package = folder("tests/fixtures/reduced");
    let Some([mut host, mut provider]) = both(&package, |_| {}) else {
        return;
    };
    let thread = bevrt_runtime::BesideThread::new(|| {});
    provider.overlap(Some(thread)).expect("a thread can be had");
    for at in 0..30 {
        let stamp = milliseconds(at * 100);
        let expected = step(&mut host, stamp, true);
        provider
            .push_pose(stamp, &pose_at(stamp))
            .expect("time goes on");
        push_images(&mut provider, stamp);
        let now = stamp + Span::from_milliseconds(20);
        assert_eq!(
            provider.begin_step(now),
            Ok(bevrt_runtime::StepBegin::Begun)
        );
        let mut frame = OutputFrame::boxed();
        provider.finish_step(&mut frame).expect("it was begun");
        assert!(expected.as_frame_bytes() == frame.as_frame_bytes());
    }
}
