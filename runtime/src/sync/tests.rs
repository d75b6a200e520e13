use super::*;

const MS: i64 = 1_000_000;

fn at(milliseconds: i64) -> Stamp {
    Stamp::from_nanoseconds(milliseconds * MS)
}

/// A synchroniser of `cameras` cameras; the reference is camera 0.
fn sync_of(cameras: usize) -> FrameSync {
    FrameSync::new(SyncSpec::new(cameras, 0)).expect("a valid specification")
}

/// Pushes an image that arrives 10 ms after its exposure.
fn push(sync: &mut FrameSync, camera: usize, stamp_ms: i64) -> Result<u64, SyncRefusal> {
    sync.push(
        camera,
        at(stamp_ms),
        at(stamp_ms + 10),
        ImageContent::Unchecked,
    )
    .map(|accepted| accepted.sequence)
}

fn states(set: &FrameSetDecision) -> std::vec::Vec<CameraState> {
    set.cameras.iter().map(|camera| camera.state).collect()
}

#[test]
fn a_complete_set_comes_out_at_once() {
    let mut sync = sync_of(3);
    assert_eq!(push(&mut sync, 1, 95), Ok(0));
    assert_eq!(push(&mut sync, 2, 130), Ok(0));
    assert_eq!(sync.poll(at(140)), None);
    assert_eq!(push(&mut sync, 0, 100), Ok(0));
    let set = sync.poll(at(140)).expect("a set");
    assert_eq!((set.sequence, set.stamp), (0, at(100)));
    assert_eq!(set.stamp_source, StampSource::Reference);
    assert_eq!(set.closed_by, ClosedBy::Completeness);
    assert_eq!(states(&set), [CameraState::Ok; 3]);
    assert_eq!(set.skew(2), Some(Span::from_milliseconds(30)));
    assert_eq!(set.skew(1), Some(Span::from_milliseconds(-5)));
    assert_eq!(sync.poll(at(140)), None);
}

#[test]
fn a_missing_camera_is_given_up_at_the_deadline() {
    let mut sync = sync_of(3);
    push(&mut sync, 0, 100).expect("accepted");
    push(&mut sync, 1, 110).expect("accepted");
    assert_eq!(sync.poll(at(189)), None);
    let set = sync.poll(at(190)).expect("a set");
    assert_eq!(set.closed_by, ClosedBy::Deadline);
    assert_eq!(
        states(&set),
        [CameraState::Ok, CameraState::Ok, CameraState::Missing]
    );
    assert_eq!((set.cameras[2].image, set.skew(2)), (None, None));
}

#[test]
fn a_dead_camera_is_not_waited_for_any_more_until_it_is_back() {
    let mut sync = sync_of(2);
    for frame in 0..5 {
        push(&mut sync, 0, frame * 100).expect("accepted");
        let set = sync.poll(at(frame * 100 + 15));
        if frame < 3 {
            assert_eq!(set, None);
            let set = sync.poll(at(frame * 100 + 90)).expect("a set");
            assert_eq!(set.closed_by, ClosedBy::Deadline);
        } else {
            let set = set.expect("a set without waiting");
            assert_eq!(set.closed_by, ClosedBy::Completeness);
            assert_eq!(states(&set), [CameraState::Ok, CameraState::Missing]);
        }
    }
    // Its first image comes too late for the set, but the next set waits for it again.
    assert_eq!(push(&mut sync, 1, 410), Err(SyncRefusal::Late));
    push(&mut sync, 0, 500).expect("accepted");
    assert_eq!(sync.poll(at(515)), None);
    push(&mut sync, 1, 510).expect("accepted");
    let set = sync.poll(at(520)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Ok]);
}

#[test]
fn without_the_reference_camera_the_lower_median_is_the_stamp() {
    let mut sync = sync_of(5);
    for (camera, stamp) in [(1, 130), (2, 100), (3, 120), (4, 110)] {
        push(&mut sync, camera, stamp).expect("accepted");
    }
    let set = sync.poll(at(300)).expect("a set");
    assert_eq!(
        (set.stamp, set.stamp_source),
        (at(110), StampSource::Substitute)
    );
    assert_eq!(set.cameras[0].state, CameraState::Missing);
}

#[test]
fn silence_gives_empty_sets_again_and_again() {
    let mut sync = sync_of(2);
    assert_eq!(sync.poll(at(1000)), None);
    assert_eq!(sync.poll(at(1499)), None);
    for round in 1..4 {
        let now = at(1000 + round * 500);
        let set = sync.poll(now).expect("an empty set");
        assert_eq!((set.stamp, set.stamp_source), (now, StampSource::Clock));
        assert_eq!(set.closed_by, ClosedBy::Silence);
        assert_eq!(states(&set), [CameraState::Missing; 2]);
        assert_eq!(sync.poll(now), None);
    }
}

#[test]
fn a_late_image_is_refused_and_reported_in_the_next_set_unless_a_fresh_one_comes() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    sync.poll(at(200)).expect("a set");
    // Exposed after the reference of the closed set, yet of that set: it must not open a new one.
    assert_eq!(push(&mut sync, 1, 120), Err(SyncRefusal::Late));
    push(&mut sync, 0, 200).expect("accepted");
    let set = sync.poll(at(300)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Late]);
    assert_eq!(set.cameras[1].last_stamp, Some(at(120)));
    push(&mut sync, 0, 300).expect("accepted");
    push(&mut sync, 1, 320).expect("accepted");
    let set = sync.poll(at(330)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Ok]);
}

#[test]
fn repeated_and_backward_stamps_are_refused() {
    let mut sync = sync_of(3);
    for camera in 0..3 {
        push(&mut sync, camera, 100).expect("accepted");
    }
    sync.poll(at(110)).expect("a set");
    assert_eq!(push(&mut sync, 1, 100), Err(SyncRefusal::Repeated));
    assert_eq!(push(&mut sync, 2, 90), Err(SyncRefusal::OutOfOrder));
    push(&mut sync, 0, 200).expect("accepted");
    let set = sync.poll(at(300)).expect("a set");
    let expected = [
        CameraState::Ok,
        CameraState::Repeated,
        CameraState::OutOfOrder,
    ];
    assert_eq!(states(&set), expected);
}

#[test]
fn a_frozen_picture_is_refused_although_its_stamp_is_new() {
    let mut sync = sync_of(2);
    let mut offer = |camera, stamp, content| {
        sync.push(
            camera,
            at(stamp),
            at(stamp + 10),
            ImageContent::Fingerprint(content),
        )
        .map(|accepted| accepted.sequence)
    };
    assert_eq!(offer(0, 100, 1), Ok(0));
    assert_eq!(offer(1, 100, 7), Ok(0));
    sync.poll(at(110)).expect("a set");
    let mut offer = |camera, stamp, content| {
        sync.push(
            camera,
            at(stamp),
            at(stamp + 10),
            ImageContent::Fingerprint(content),
        )
        .map(|accepted| accepted.sequence)
    };
    assert_eq!(offer(0, 200, 2), Ok(1));
    assert_eq!(offer(1, 200, 7), Err(SyncRefusal::Frozen));
    let set = sync.poll(at(290)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Frozen]);
}

#[test]
fn stamps_that_are_too_far_apart_do_not_share_a_set() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    // 61 ms later: of the next set.
    assert_eq!(push(&mut sync, 1, 161), Ok(1));
    assert_eq!(push(&mut sync, 0, 170), Ok(1));
    let first = sync
        .poll(at(180))
        .expect("the incomplete set, since the next is complete");
    assert_eq!(first.closed_by, ClosedBy::Successor);
    let second = sync.poll(at(180)).expect("the complete set");
    assert_eq!((second.sequence, second.stamp), (1, at(170)));
    assert_eq!(states(&second), [CameraState::Ok; 2]);
}

#[test]
fn an_image_before_the_window_of_the_open_set_is_out_of_tolerance() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    assert_eq!(push(&mut sync, 1, 39), Err(SyncRefusal::OutOfTolerance));
    let set = sync.poll(at(200)).expect("a set");
    assert_eq!(set.cameras[1].state, CameraState::OutOfTolerance);
}

#[test]
fn a_stamp_from_the_future_does_not_lock_the_camera_out() {
    let mut sync = sync_of(1);
    let far = sync.push(0, at(60_000), at(100), ImageContent::Unchecked);
    assert_eq!(far, Err(SyncRefusal::OutOfTolerance));
    assert_eq!(push(&mut sync, 0, 100), Ok(0));
}

#[test]
fn when_images_pile_up_the_caller_polls_and_pushes_again_and_none_is_lost() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    push(&mut sync, 0, 200).expect("accepted");
    assert_eq!(push(&mut sync, 0, 300), Err(SyncRefusal::Overrun));
    let set = sync.poll(at(110)).expect("closed early");
    assert_eq!((set.stamp, set.closed_by), (at(100), ClosedBy::Successor));
    assert_eq!(push(&mut sync, 0, 300), Ok(2));
    assert_eq!(sync.poll(at(110)), None);
}

#[test]
fn the_newer_image_of_a_fast_camera_takes_the_place_of_the_older() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    let accepted = sync
        .push(0, at(133), at(140), ImageContent::Unchecked)
        .expect("accepted");
    assert_eq!(
        accepted,
        Accepted {
            sequence: 0,
            is_replacement: true
        }
    );
    push(&mut sync, 1, 135).expect("accepted");
    assert_eq!(sync.poll(at(150)).map(|set| set.stamp), Some(at(133)));
}

#[test]
fn thirty_hertz_cameras_with_the_default_tolerance_lose_nothing() {
    let mut sync = sync_of(3);
    for frame in 0..90 {
        let stamp = frame * 100 / 3;
        for camera in 0..3 {
            push(&mut sync, camera, stamp + camera as i64 * 5).expect("accepted");
        }
        let set = sync.poll(at(stamp + 20)).expect("a set for each frame");
        assert_eq!(states(&set), [CameraState::Ok; 3]);
        assert_eq!(set.stamp, at(stamp));
    }
}

#[test]
fn output_stamps_rise_whatever_comes_in() {
    let mut sync = sync_of(4);
    let (mut random, mut last) = (12_345_u64, None);
    for step in 0..20_000_i64 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let camera = (random >> 33) as usize % 5;
        let stamp = at(step * 4) - Span::from_milliseconds((random >> 40) as i64 % 150);
        match (random >> 20) % 200 {
            0 => sync.disable(camera),
            1..8 => sync.enable(camera),
            _ => {}
        }
        let content = match (random >> 12) % 4 {
            0 => ImageContent::Unchecked,
            1 => ImageContent::Blind,
            content => ImageContent::Fingerprint(content),
        };
        let _ = sync.push(camera, stamp, at(step * 4), content);
        while let Some(set) = sync.poll(at(step * 4)) {
            assert!(
                last.is_none_or(|last| set.stamp > last),
                "{last:?} then {:?}",
                set.stamp
            );
            last = Some(set.stamp);
        }
    }
    assert!(
        last.is_some_and(|last| last > at(79_000)),
        "sets came to the end: {last:?}"
    );
}

#[test]
fn a_disabled_camera_is_neither_used_nor_waited_for() {
    let mut sync = sync_of(2);
    sync.disable(1);
    push(&mut sync, 0, 100).expect("accepted");
    assert_eq!(push(&mut sync, 1, 100), Err(SyncRefusal::Disabled));
    let set = sync.poll(at(110)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Disabled]);
    sync.enable(1);
    push(&mut sync, 0, 200).expect("accepted");
    assert_eq!(sync.poll(at(210)), None);
}

#[test]
fn after_a_reset_earlier_stamps_are_welcome_and_numbers_go_on() {
    let mut sync = sync_of(1);
    push(&mut sync, 0, 5000).expect("accepted");
    sync.poll(at(5010)).expect("a set");
    push(&mut sync, 0, 5100).expect("accepted");
    sync.reset();
    assert_eq!(push(&mut sync, 0, 1000), Ok(2));
    assert_eq!(sync.poll(at(1010)).map(|set| set.sequence), Some(2));
}

#[test]
fn impossible_specifications_are_refused() {
    let refused = |spec| FrameSync::new(spec).map(|_| ()).expect_err("refused");
    let spec = SyncSpec::new(2, 0);
    assert_eq!(
        refused(SyncSpec::new(0, 0)),
        SyncSetupError::Cameras { found: 0 }
    );
    assert_eq!(
        refused(SyncSpec::new(17, 0)),
        SyncSetupError::Cameras { found: 17 }
    );
    let reference = SyncSetupError::Reference {
        cameras: 2,
        found: 2,
    };
    assert_eq!(refused(SyncSpec::new(2, 2)), reference);
    let found = Span::ZERO;
    let deadline = SyncSetupError::Time {
        field: "deadline",
        found,
    };
    assert_eq!(
        refused(SyncSpec {
            deadline: found,
            ..spec
        }),
        deadline
    );
    let found = Span::from_nanoseconds(-1);
    let tolerance = SyncSetupError::Time {
        field: "tolerance",
        found,
    };
    assert_eq!(
        refused(SyncSpec {
            tolerance: found,
            ..spec
        }),
        tolerance
    );
    let mut sync = sync_of(2);
    assert_eq!(push(&mut sync, 2, 100), Err(SyncRefusal::UnknownCamera));
}

#[test]
fn a_blind_picture_is_refused_and_said() {
    let mut sync = sync_of(2);
    push(&mut sync, 0, 100).expect("accepted");
    let blind = sync.push(1, at(100), at(110), ImageContent::Blind);
    assert_eq!(blind, Err(SyncRefusal::Blind));
    let set = sync.poll(at(200)).expect("a set");
    assert_eq!(states(&set), [CameraState::Ok, CameraState::Blind]);
    assert_eq!(set.cameras[1].last_stamp, Some(at(100)));
}

#[test]
fn a_clock_that_ran_away_is_told_from_images_that_are_late() {
    let mut sync = sync_of(1);
    push(&mut sync, 0, 100).expect("accepted");
    sync.poll(at(110)).expect("a set");
    assert!(!sync.is_clock_ahead_of(at(200)));
    let empty = sync.poll(at(10_110)).expect("ten seconds of silence");
    assert_eq!(empty.stamp_source, StampSource::Clock);
    assert!(sync.is_clock_ahead_of(at(200)));
    assert!(!sync.is_clock_ahead_of(at(9_000)), "a second under way");
}
