//! What the network is given of the past.

use bevrt_runtime::{HealthReasons, Pipeline, QueueMode, RawValues, SlotState};

use crate::small_model::{self as small};

fn input(pipeline: &mut Pipeline, name: &str) -> Vec<f32> {
    let mut found = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let (true, RawValues::F32(values)) = (tensor.name == name, tensor.values) {
                found = values.to_vec();
            }
        })
        .expect("the engine has them");
    found
}

fn pipeline(mode: QueueMode) -> Pipeline {
    let mut options = small::options();
    options.history = mode;
    small::pipeline(options, |_| Ok(()))
}

/// Row 8, column 8 of the older slot: the number of the cell that it shows.
fn remembered_cell(history: &[f32]) -> f32 {
    history[(8 * 16 + 8) * 4 + 3]
}

#[test]
fn aligned_maps_follow_the_vehicle() {
    let mut pipeline = pipeline(QueueMode::Aligned);
    small::drive(&mut pipeline, 0, 1000);
    // 400 ms at 10 m/s are 4 m, one cell: what is in row 8 now was in row 9 then.
    let history = input(&mut pipeline, "history");
    assert_eq!(remembered_cell(&history), (9 * 16 + 8) as f32);
    assert_eq!(input(&mut pipeline, "history_state"), [1.0, 0.2, 1.0, 0.4]);
}

#[test]
fn unaligned_maps_stay_where_they_were() {
    let mut pipeline = pipeline(QueueMode::Unaligned);
    small::drive(&mut pipeline, 0, 1000);
    let history = input(&mut pipeline, "history");
    assert_eq!(remembered_cell(&history), (8 * 16 + 8) as f32);
    assert_eq!(input(&mut pipeline, "history_state"), [1.0, 0.2, 1.0, 0.4]);
}

#[test]
fn an_empty_history_is_zero_and_says_so() {
    let mut pipeline = pipeline(QueueMode::Empty);
    let frame = small::drive(&mut pipeline, 0, 1000)
        .pop()
        .expect("ten frames");
    assert!(
        input(&mut pipeline, "history")
            .iter()
            .all(|&value| value == 0.0)
    );
    assert_eq!(input(&mut pipeline, "history_state"), [0.0; 4]);
    let states = frame
        .health
        .slots()
        .iter()
        .map(|slot| SlotState::try_from(slot.state));
    assert!(states.eq([Ok(SlotState::Disabled); 2]));
    assert_eq!(frame.health.reasons(), HealthReasons::NONE);
}
