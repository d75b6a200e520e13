//! What goes wrong around the pipeline, and what it says then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bevrt_runtime::{
    CameraState, CoverageState, EngineError, FrameError, FrozenCheck, HealthReasons, HealthState,
    ImageView, OutputFrame, OutputRole, Pipeline, PixelFormat, SlotState, Span, Stamp, StepOutcome,
    SyncRefusal,
};
use nalgebra::{UnitQuaternion, Vector3};

use crate::ringed_engine::{self, RingedEngine};
use crate::scripted_engine::Tensors;
use crate::small_model::{self as small, milliseconds};

fn step_at(pipeline: &mut Pipeline, now: Stamp) -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    assert_eq!(pipeline.step(now, &mut frame), Ok(StepOutcome::Frame));
    frame
}

fn state(frame: &OutputFrame) -> HealthState {
    HealthState::try_from(frame.health.state).expect("a state")
}

fn camera_state(frame: &OutputFrame, camera: usize) -> CameraState {
    CameraState::try_from(frame.health.cameras()[camera].state).expect("a state")
}

fn images(pipeline: &mut Pipeline) -> Vec<f32> {
    let mut images = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let ("images", bevrt_runtime::RawValues::F32(values)) = (tensor.name, tensor.values)
            {
                images = values.to_vec();
            }
        })
        .expect("the engine has them");
    images
}

#[test]
fn a_missing_camera_is_grey_and_its_sectors_are_not_seen_now() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 1000);
    let stamp = milliseconds(1000);
    pipeline
        .push_pose(stamp, &small::pose_at(stamp))
        .expect("time goes on");
    small::push_image(&mut pipeline, 0, stamp).expect("time goes on");
    let mut frame = OutputFrame::boxed();
    assert_eq!(
        pipeline.step(milliseconds(1050), &mut frame),
        Ok(StepOutcome::Waiting)
    );
    let frame = step_at(&mut pipeline, milliseconds(1090));
    assert_eq!(state(&frame), HealthState::Degraded);
    let expected = ["camera_missing", "set_deadline"];
    assert_eq!(frame.health.reasons().names().collect::<Vec<_>>(), expected);
    assert_eq!(camera_state(&frame, 1), CameraState::Missing);
    assert_eq!(frame.health.cameras()[1].stamp_ns, 900_000_000);
    assert_eq!(frame.objects().len(), 1);

    let images = images(&mut pipeline);
    let (front, back) = images.split_at(images.len() / 2);
    assert!(front.iter().any(|&value| value != 0.0));
    assert!(back.iter().all(|&value| value == 0.0));
    let behind = CoverageState::try_from(frame.coverage[36].state);
    assert_eq!(
        behind,
        Ok(CoverageState::History),
        "the queue remembers what was behind"
    );
    let ahead = CoverageState::try_from(frame.coverage[0].state);
    assert_eq!(ahead, Ok(CoverageState::SeenNow));
}

#[test]
fn without_any_image_a_fault_comes_out_instead_of_silence() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 300);
    let frame = step_at(&mut pipeline, milliseconds(900));
    assert_eq!(state(&frame), HealthState::Fault);
    assert!(frame.health.reasons().contains(HealthReasons::NO_CAMERA));
    assert!(frame.objects().is_empty());
    assert!(frame.coverage.iter().all(|sector| sector.state == 0));
}

#[test]
fn a_missing_reference_is_replaced_and_said() {
    let mut pipeline = small::plain_pipeline();
    let stamp = milliseconds(100);
    small::push_image(&mut pipeline, 1, stamp).expect("the first image");
    let frame = step_at(&mut pipeline, milliseconds(190));
    assert_eq!(frame.stamp_ns, stamp.nanoseconds());
    assert!(
        frame
            .health
            .reasons()
            .contains(HealthReasons::REFERENCE_MISSING)
    );
}

#[test]
fn a_frozen_camera_is_noticed() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 300);
    let bytes = small::picture(1, milliseconds(200));
    let image = ImageView::packed(PixelFormat::Grey, 64, 48, &bytes).expect("it fits");
    let stamp = milliseconds(300);
    let pushed = pipeline.push_image(1, &image, stamp, stamp);
    assert_eq!(pushed, Err(FrameError::Refused(SyncRefusal::Frozen)));
    small::push_image(&mut pipeline, 0, stamp).expect("time goes on");
    let frame = step_at(&mut pipeline, milliseconds(400));
    assert_eq!(camera_state(&frame, 1), CameraState::Frozen);
    assert!(
        frame
            .health
            .reasons()
            .contains(HealthReasons::CAMERA_FROZEN)
    );
}

#[test]
fn images_without_noise_pass_when_the_check_is_off() {
    let mut options = small::options();
    options.frozen_check = FrozenCheck::Off;
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    let bytes = small::picture(0, Stamp::ZERO);
    let image = ImageView::packed(PixelFormat::Grey, 64, 48, &bytes).expect("it fits");
    for stamp_ms in [0, 100, 200] {
        let stamp = milliseconds(stamp_ms);
        assert_eq!(pipeline.push_image(0, &image, stamp, stamp), Ok(()));
        assert_eq!(pipeline.push_image(1, &image, stamp, stamp), Ok(()));
        small::step(&mut pipeline, stamp);
    }
}

#[test]
fn repeated_and_old_images_are_refused() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 300);
    let refused = |pipeline: &mut Pipeline, stamp_ms| {
        small::push_image(pipeline, 0, milliseconds(stamp_ms)).expect_err("refused")
    };
    assert_eq!(
        refused(&mut pipeline, 200),
        FrameError::Refused(SyncRefusal::Repeated)
    );
    assert_eq!(
        refused(&mut pipeline, 150),
        FrameError::Refused(SyncRefusal::OutOfOrder)
    );
}

#[test]
fn images_of_another_size_or_format_are_refused_before_anything_else() {
    let mut options = small::options();
    options.image_formats = vec![PixelFormat::Grey];
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    let bytes = [0; 64 * 48 * 3];
    let small_image = ImageView::packed(PixelFormat::Grey, 32, 48, &bytes).expect("it fits");
    let coloured = ImageView::packed(PixelFormat::Rgb, 64, 48, &bytes).expect("it fits");
    let stamp = milliseconds(100);
    let push = |pipeline: &mut Pipeline, image| pipeline.push_image(0, image, stamp, stamp);
    assert_eq!(
        push(&mut pipeline, &small_image),
        Err(FrameError::ImageSize)
    );
    assert_eq!(push(&mut pipeline, &coloured), Err(FrameError::ImageFormat));
    assert_eq!(
        small::push_image(&mut pipeline, 0, stamp),
        Ok(()),
        "the stamp is still free"
    );
    let unknown = small::push_image(&mut pipeline, 9, stamp);
    assert_eq!(
        unknown,
        Err(FrameError::Refused(SyncRefusal::UnknownCamera))
    );
}

/// A pipeline whose network misbehaves as the number says: 1 NaN in the map, 2 infinity in a head,
/// 3 failure of the engine.
fn moody_pipeline() -> (Pipeline, Arc<AtomicU8>) {
    let mood = Arc::new(AtomicU8::new(0));
    let shared = Arc::clone(&mood);
    let pipeline = small::pipeline(small::options(), move |tensors| {
        match shared.load(Ordering::Relaxed) {
            1 => tensors.output_mut(OutputRole::Bev)[33] = f32::NAN,
            2 => tensors.output_mut(OutputRole::Head(1))[5] = f32::INFINITY,
            3 => return Err(EngineError::Run),
            _ => {}
        }
        Ok(())
    });
    (pipeline, mood)
}

#[test]
fn a_failing_network_is_a_fault_and_leaves_no_trace() {
    let expected = [
        (1, HealthReasons::NOT_FINITE),
        (2, HealthReasons::NOT_FINITE),
        (3, HealthReasons::ENGINE_FAILED),
    ];
    for (kind, reason) in expected {
        let (mut pipeline, mood) = moody_pipeline();
        let id = small::drive(&mut pipeline, 0, 1000)[9].objects()[0].id;
        mood.store(kind, Ordering::Relaxed);
        let broken = &small::drive(&mut pipeline, 1000, 1100)[0];
        assert_eq!(state(broken), HealthState::Fault);
        assert!(broken.health.reasons().contains(reason));
        assert!(broken.objects().is_empty() && pipeline.raw_detections().objects.is_empty());

        mood.store(0, Ordering::Relaxed);
        let frames = small::drive(&mut pipeline, 1100, 1700);
        assert_eq!(frames[0].objects()[0].id, id, "the track goes on");
        assert_eq!(state(&frames[5]), HealthState::Ok);
        let mut history_is_finite = true;
        pipeline
            .raw_inputs(|tensor| {
                if let bevrt_runtime::RawValues::F32(values) = tensor.values {
                    history_is_finite &= values.iter().all(|value| value.is_finite());
                }
            })
            .expect("the engine has them");
        assert!(history_is_finite);
    }
}

#[test]
fn a_jump_of_the_pose_drops_tracks_and_history() {
    let mut pipeline = small::plain_pipeline();
    let before = small::drive(&mut pipeline, 0, 1000);
    let moved = |stamp: Stamp| {
        bevrt_calibration::Pose::new(
            UnitQuaternion::identity(),
            Vector3::new(500.0 + 10.0 * stamp.seconds(), 0.0, 0.0),
        )
    };
    let mut frames = Vec::new();
    for stamp_ms in [1000, 1100] {
        let stamp = milliseconds(stamp_ms);
        pipeline
            .push_pose(stamp, &moved(stamp))
            .expect("it is later");
        for camera in 0..2 {
            small::push_image(&mut pipeline, camera, stamp).expect("time goes on");
        }
        frames.push(small::step(&mut pipeline, stamp));
    }
    let reasons = frames[0].health.reasons();
    assert!(reasons.contains(HealthReasons::EGO_MOTION_JUMP));
    assert!(reasons.contains(HealthReasons::HISTORY_INVALID));
    assert_eq!(frames[0].health.history_resets, 1);
    assert_ne!(frames[0].objects()[0].id, before[9].objects()[0].id);
    assert!(
        !frames[1]
            .health
            .reasons()
            .contains(HealthReasons::EGO_MOTION_JUMP)
    );
    assert_eq!(frames[1].health.history_resets, 1);
}

#[test]
fn without_ego_motion_frames_come_and_say_so() {
    let mut pipeline = small::plain_pipeline();
    for stamp_ms in [0, 100, 200, 300] {
        for camera in 0..2 {
            small::push_image(&mut pipeline, camera, milliseconds(stamp_ms)).expect("in order");
        }
        let frame = small::step(&mut pipeline, milliseconds(stamp_ms));
        assert_eq!(frame.objects().len(), 1);
        assert!(
            frame
                .health
                .reasons()
                .contains(HealthReasons::EGO_MOTION_LOST)
        );
    }
}

#[test]
fn time_that_is_set_back_restarts_the_pipeline() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 5000, 6000);
    let stamp = milliseconds(1000);
    for camera in 0..2 {
        small::push_image(&mut pipeline, camera, stamp).expect("it starts anew");
    }
    let frame = small::step(&mut pipeline, stamp);
    assert!(
        frame
            .health
            .reasons()
            .contains(HealthReasons::TIME_REVERSED)
    );
    assert!(
        frame
            .health
            .reasons()
            .contains(HealthReasons::HISTORY_WARMING_UP)
    );
    let frame = &small::drive(&mut pipeline, 1100, 1200)[0];
    assert!(
        !frame
            .health
            .reasons()
            .contains(HealthReasons::TIME_REVERSED)
    );
}

#[test]
fn a_late_frame_has_missed_its_deadline() {
    let mut options = small::options();
    options.frame_deadline = Span::from_milliseconds(15);
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    let frames = small::drive(&mut pipeline, 0, 200);
    assert!(
        frames[1]
            .health
            .reasons()
            .contains(HealthReasons::FRAME_DEADLINE)
    );
    assert_eq!(frames[1].health.deadline_misses, 2);
}

#[test]
fn a_map_that_an_engine_fails_to_align_or_to_keep_is_a_fault_and_does_not_come_back() {
    const NOT_A_NUMBER: u8 = 3;
    let expected = [
        (ringed_engine::ALIGNING, HealthReasons::ENGINE_FAILED),
        (ringed_engine::STORING, HealthReasons::ENGINE_FAILED),
        (NOT_A_NUMBER, HealthReasons::NOT_FINITE),
    ];
    for (failing, reason) in expected {
        let failure = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&failure);
        let script = move |tensors: &mut Tensors| {
            if shared.load(Ordering::Relaxed) == NOT_A_NUMBER {
                tensors.output_mut(OutputRole::Bev)[33] = f32::NAN;
            }
            Ok(())
        };
        let engine = RingedEngine {
            engine: small::engine(script),
            maps: Vec::new(),
            failure: Arc::clone(&failure),
        };
        let mut pipeline =
            Pipeline::with_engine(small::manifest(), Box::new(engine), small::options())
                .expect("it fits together");
        let frames = small::drive(&mut pipeline, 0, 1000);
        assert_eq!(state(&frames[9]), HealthState::Ok);
        failure.store(failing, Ordering::Relaxed);
        let broken = &small::drive(&mut pipeline, 1000, 1100)[0];
        assert_eq!(state(broken), HealthState::Fault);
        assert!(broken.health.reasons().contains(reason));
        assert!(broken.objects().is_empty() && pipeline.raw_detections().objects.is_empty());
        assert!(
            slots_are_valid(broken),
            "what they would have given is known"
        );

        failure.store(0, Ordering::Relaxed);
        let frames = small::drive(&mut pipeline, 1100, 1700);
        assert_eq!(frames[0].objects().len(), 1);
        // Slots of 0.2 and 0.4 s with a tolerance of 20 ms: the map of 1000 ms is not there.
        for frame in &frames {
            let age_ms = frame.stamp_ns / 1_000_000 - 1000;
            let is_hit = age_ms == 200 || age_ms == 400;
            assert_eq!(slots_are_valid(frame), !is_hit, "{age_ms}");
        }
    }
}

fn slots_are_valid(frame: &OutputFrame) -> bool {
    let mut slots = frame.health.slots().iter();
    slots.all(|slot| SlotState::try_from(slot.state) == Ok(SlotState::Valid))
}
