//! The same inputs give the same bytes, and a seek recovers.

use bevrt_runtime::{OutputFrame, Pipeline, RawValues};

use crate::small_model::{self as small, milliseconds};

fn bytes(frames: &[Box<OutputFrame>]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| frame.as_frame_bytes().to_vec())
        .collect()
}

/// A drive with a lost camera and a frame without motion in it.
fn eventful_drive(pipeline: &mut Pipeline) -> Vec<Box<OutputFrame>> {
    let mut frames = small::drive(pipeline, 0, 900);
    let stamp = milliseconds(900);
    small::push_image(pipeline, 1, stamp).expect("time goes on");
    frames.push(small::step(pipeline, milliseconds(980)));
    frames.extend(small::drive(pipeline, 1000, 2000));
    frames
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let first = eventful_drive(&mut small::plain_pipeline());
    let second = eventful_drive(&mut small::plain_pipeline());
    assert_eq!(first.len(), 20);
    assert!(bytes(&first) == bytes(&second));
}

#[test]
fn running_the_network_again_changes_no_frame() {
    let expected = eventful_drive(&mut small::plain_pipeline());
    let mut pipeline = small::plain_pipeline();
    let mut found = Vec::new();
    for first_ms in (0..900).step_by(100) {
        found.extend(small::drive(&mut pipeline, first_ms, first_ms + 100));
        pipeline.run_network_again().expect("the engine runs");
    }
    small::push_image(&mut pipeline, 1, milliseconds(900)).expect("time goes on");
    // An image of the next set is here already: it has an input of its own.
    pipeline.run_network_again().expect("the engine runs");
    found.push(small::step(&mut pipeline, milliseconds(980)));
    found.extend(small::drive(&mut pipeline, 1000, 2000));
    assert!(bytes(&found) == bytes(&expected));
}

#[test]
fn after_a_reset_the_same_inputs_give_the_same_bytes_but_for_identities() {
    let mut pipeline = small::plain_pipeline();
    let first = eventful_drive(&mut pipeline);
    pipeline.reset();
    let mut second = eventful_drive(&mut pipeline);
    // Ids are never used again.
    for (frame, like) in second.iter_mut().zip(&first) {
        for (object, like) in frame.object_entries.iter_mut().zip(&like.object_entries) {
            assert!(object.id == 0 || object.id != like.id);
            object.id = like.id;
        }
    }
    assert!(bytes(&first) == bytes(&second));
}

fn history(pipeline: &mut Pipeline) -> Vec<u32> {
    let mut found = Vec::new();
    pipeline
        .raw_inputs(|tensor| {
            if let ("history" | "history_state", RawValues::F32(values)) =
                (tensor.name, tensor.values)
            {
                found.extend(values.iter().map(|value| value.to_bits()));
            }
        })
        .expect("the engine has them");
    found
}

#[test]
fn after_a_seek_the_history_is_that_of_the_full_replay() {
    let mut full = small::plain_pipeline();
    small::drive(&mut full, 0, 3000);
    let mut sought = small::plain_pipeline();
    // Two slots of 200 ms, and a tenth of it for the tolerance.
    small::drive(&mut sought, 2500, 3000);
    assert_eq!(history(&mut full), history(&mut sought));
}
