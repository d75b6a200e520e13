use super::*;

const ID: u32 = 0x0B5E_0002;

fn frame() -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    frame.sequence = 0x0102_0304_0506_0708;
    frame.stamp_ns = -2;
    let health = &mut frame.health;
    health.state = HealthState::Degraded.into();
    health.ego_motion = EgoMotionState::Gap.into();
    health.reason_bits = HealthReasons::CAMERA_FROZEN.bits() | HealthReasons::SET_DEADLINE.bits();
    health.deadline_misses = 0x0A0B;
    health.frame_age_ns = 61_234_999;
    health.reference_camera = 2;
    health.camera_count = 3;
    health.slot_count = 2;
    health.camera_entries[0].state = CameraState::Ok.into();
    health.camera_entries[1].state = CameraState::Frozen.into();
    health.camera_entries[2].state = CameraState::Disabled.into();
    health.camera_entries[3].state = CameraState::Missing.into();
    health.slot_entries[0].state = SlotState::Valid.into();
    health.slot_entries[1].state = SlotState::MotionUnknown.into();
    frame
}

#[test]
fn a_message_says_what_the_frame_says() {
    let health = HealthMessage::of(&frame());
    assert_eq!(health.state(), Ok(HealthState::Degraded));
    assert_eq!(health.ego_motion(), Ok(EgoMotionState::Gap));
    assert!(health.reasons().contains(HealthReasons::CAMERA_FROZEN));
    assert_eq!(health.stamp_ns.get(), -2);
    assert_eq!(health.frame_age_us.get(), 61_234);
    assert_eq!(health.camera(0), Ok(Some(CameraState::Ok)));
    assert_eq!(health.camera(1), Ok(Some(CameraState::Frozen)));
    assert_eq!(health.camera(2), Ok(Some(CameraState::Disabled)));
    assert_eq!(health.camera(3), Ok(None));
    assert_eq!(health.camera(usize::MAX), Ok(None));
    assert_eq!(health.slot(0), Ok(Some(SlotState::Valid)));
    assert_eq!(health.slot(1), Ok(Some(SlotState::MotionUnknown)));
    assert_eq!(health.slot(2), Ok(None));
}

#[test]
fn the_bytes_are_little_endian_at_the_published_offsets() {
    let health = HealthMessage::of(&frame());
    let bytes = health.as_bytes();
    assert_eq!(bytes[0], HEALTH_MESSAGE_VERSION);
    assert_eq!(bytes[1], u8::from(HealthState::Degraded));
    assert_eq!(bytes[3..6], [2, 3, 2]);
    assert_eq!(bytes[8..16], [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(bytes[16..24], (-2_i64).to_le_bytes());
    assert_eq!(bytes[32..36], [0x0B, 0x0A, 0, 0]);
    assert_eq!(bytes[36..40], 61_234_i32.to_le_bytes());
    let camera = |state: CameraState| u8::from(state);
    assert_eq!(
        bytes[40],
        camera(CameraState::Ok) | camera(CameraState::Frozen) << 4
    );
    assert_eq!(bytes[41], camera(CameraState::Disabled));
}

#[test]
fn ages_beyond_the_range_are_clamped() {
    let mut frame = frame();
    frame.health.frame_age_ns = i64::MAX;
    assert_eq!(HealthMessage::of(&frame).frame_age_us.get(), i32::MAX);
    frame.health.frame_age_ns = i64::MIN;
    assert_eq!(HealthMessage::of(&frame).frame_age_us.get(), i32::MIN);
}

#[test]
fn counts_and_states_from_outside_do_no_harm() {
    let mut frame = frame();
    frame.health.camera_count = 255;
    frame.health.camera_entries[15].state = 200;
    let health = HealthMessage::of(&frame);
    assert_eq!(usize::from(health.camera_count), MAX_CAMERAS);
    assert!(health.camera(15).is_err());
    let foreign = HealthMessage {
        camera_count: 255,
        ..health
    };
    assert_eq!(foreign.camera(16), Ok(None));
}

#[test]
fn every_state_fits_into_four_bits() {
    for &state in CameraState::ALL {
        assert!(u8::from(state) < UNKNOWN_NIBBLE);
    }
    for &state in SlotState::ALL {
        assert!(u8::from(state) < UNKNOWN_NIBBLE);
    }
}

#[test]
fn health_comes_back_and_becomes_usable() {
    let sent = HealthMessage::of(&frame());
    let mut sender = HealthSender::new(ID);
    let mut receiver =
        HealthReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
    let mut message = [0; PROTECTED_HEALTH_BYTES];
    for count in 0..6 {
        assert_eq!(sender.protect_into(&sent, &mut message), Ok(64));
        let received = receiver.check(Some(&message)).expect("our version");
        assert_eq!(received.message, MessageState::Ok);
        assert_eq!(received.health, Some(&sent));
        assert_eq!(received.usable().is_some(), count >= 3);
    }
    message[63] ^= 0x80;
    let received = receiver.check(Some(&message)).expect("nothing was viewed");
    assert_eq!(
        (received.message, received.health),
        (MessageState::Error, None)
    );
}

#[test]
fn another_version_is_refused() {
    let mut foreign = HealthMessage::of(&frame());
    foreign.version = 9;
    let mut message = [0; PROTECTED_HEALTH_BYTES];
    HealthSender::new(ID)
        .protect_into(&foreign, &mut message)
        .expect("it fits");
    let mut receiver =
        HealthReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
    let error = receiver.check(Some(&message)).expect_err("version 9");
    assert_eq!(error, HealthVersionError { found: 9 });
    assert_eq!(receiver.channel_state(), ChannelState::Init);
}
