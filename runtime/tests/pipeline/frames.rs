//! What a healthy pipeline says.

use bevrt_runtime::{
    CoverageState, HealthReasons, HealthState, ObjectClass, OutputFrame, RawValues, SlotState,
    Stage, StepOutcome,
};

use crate::small_model::{self as small, milliseconds};

#[test]
fn a_complete_set_becomes_a_frame() {
    let mut pipeline = small::plain_pipeline();
    let frames = small::drive(&mut pipeline, 1000, 1300);
    let frame = &frames[2];
    assert_eq!(frame.sequence, 2);
    assert_eq!(frame.stamp_ns, 1_200_000_000);
    assert_eq!(frame.now_ns, 1_220_000_000);
    assert_eq!(frame.health.frame_age_ns, 20_000_000);
    let [car] = frame.objects() else {
        panic!("{} objects", frame.objects().len())
    };
    assert_eq!(ObjectClass::try_from(car.class), Ok(ObjectClass::Car));
    assert!(
        (car.x_m - 18.0).abs() < 2.0 && (car.y_m - 2.0).abs() < 0.5,
        "{car:?}"
    );
    assert!((car.length_m - 4.5).abs() < 0.2 && car.confidence > 0.9);
    assert_eq!((car.is_coasting, car.id), (0, frames[0].objects()[0].id));
    assert_eq!(pipeline.raw_detections().objects.len(), 1);
}

#[test]
fn health_is_ok_once_the_queue_is_full() {
    let mut pipeline = small::plain_pipeline();
    let frames = small::drive(&mut pipeline, 1000, 1800);
    let reasons = |frame: &OutputFrame| frame.health.reasons();
    assert_eq!(
        reasons(&frames[0]).bits() & HealthReasons::HISTORY_WARMING_UP.bits(),
        HealthReasons::HISTORY_WARMING_UP.bits()
    );
    let last = &frames[7];
    assert_eq!(reasons(last), HealthReasons::NONE);
    assert_eq!(
        HealthState::try_from(last.health.state),
        Ok(HealthState::Ok)
    );
    for (slot, nominal_ms) in last.health.slots().iter().zip([200, 400]) {
        assert_eq!(SlotState::try_from(slot.state), Ok(SlotState::Valid));
        assert_eq!(slot.age_ns, nominal_ms * 1_000_000);
        assert_eq!(slot.nominal_age_ns, slot.age_ns);
    }
    assert_eq!(last.health.cameras().len(), 2);
    assert!(
        last.health
            .cameras()
            .iter()
            .all(|camera| camera.state == 0 && camera.skew_ns == 0)
    );
}

#[test]
fn sectors_that_a_camera_sees_are_seen_now() {
    let mut pipeline = small::plain_pipeline();
    let frame = &small::drive(&mut pipeline, 0, 100)[0];
    let state = |sector: usize| CoverageState::try_from(frame.coverage[sector].state);
    assert_eq!(state(0), Ok(CoverageState::SeenNow));
    assert_eq!(state(36), Ok(CoverageState::SeenNow));
    assert!(frame.coverage[0].range_m > 20.0);
    // Abeam, between the two cameras.
    assert_eq!(state(18), Ok(CoverageState::Unseen));
}

#[test]
fn a_step_without_a_set_waits_and_leaves_the_frame_alone() {
    let mut pipeline = small::plain_pipeline();
    let mut frame = OutputFrame::boxed();
    frame.sequence = 77;
    small::push_image(&mut pipeline, 0, milliseconds(100)).expect("the first image");
    let outcome = pipeline.step(milliseconds(120), &mut frame);
    assert_eq!((outcome, frame.sequence), (Ok(StepOutcome::Waiting), 77));
}

#[test]
fn every_stage_is_timed() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 500);
    let stats = pipeline.stats();
    assert_eq!(stats.frames(), 5);
    assert!(stats.stage(Stage::Preprocess).min().nanoseconds() > 0);
    let parts = [
        Stage::Preprocess,
        Stage::Align,
        Stage::Network,
        Stage::Decode,
        Stage::Track,
        Stage::Publish,
    ];
    let sum: i64 = parts
        .iter()
        .map(|&stage| stats.last().get(stage).nanoseconds())
        .sum();
    assert_eq!(sum, stats.last().get(Stage::Total).nanoseconds());
    assert!(stats.last().get(Stage::FromLastImage) < stats.last().get(Stage::Total));
    pipeline.reset_stats();
    assert_eq!(pipeline.stats().frames(), 0);
}

#[test]
fn raw_tensors_carry_names_and_shapes() {
    let mut pipeline = small::plain_pipeline();
    small::drive(&mut pipeline, 0, 100);
    let mut inputs = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            let len = match tensor.values {
                RawValues::F32(values) => values.len(),
                RawValues::I32(values) => values.len(),
            };
            assert_eq!(
                len,
                tensor.shape.iter().product::<usize>(),
                "{}",
                tensor.name
            );
            inputs.push(tensor.name.to_owned());
        })
        .expect("the engine has them");
    let expected = [
        "images",
        "rays",
        "ground_index",
        "ground_geometry",
        "history",
        "history_state",
    ];
    assert_eq!(inputs, expected);
    let mut outputs = Vec::new();
    pipeline
        .raw_outputs(|tensor| outputs.push(tensor.name.to_owned()))
        .expect("it has them");
    assert_eq!(outputs, ["bev", "objects", "stop_lines"]);
}
