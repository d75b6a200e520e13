//! The receiver of protected messages, in Rust and in C, on the same traffic.

mod c_receiver;

use bevrt_transport::{
    Channel, HEALTH_MESSAGE_VERSION, HealthMessage, OnInvalid, Profile, Profile4, Profile7,
    Receiver, ReceiverSpec, Sender, StateMachineSpec, WindowSpec,
};
use zerocopy::FromBytes;

use crate::bytes::Bytes;
use c_receiver::{CReceiver, Config, health_status};

/// Checks of one input at most.
const MOST_MESSAGES: usize = 200;

/// A channel and its traffic: both receivers give the same state for every message, and for every
/// configuration the same verdict.
pub fn e2e(data: &[u8]) {
    let mut bytes = Bytes(data);
    match bytes.u8() % 3 {
        0 => traffic::<Profile4>(4, &mut bytes),
        1 => traffic::<Profile7>(7, &mut bytes),
        _ => health(bytes.0),
    }
}

fn traffic<P: Profile>(profile: u8, bytes: &mut Bytes<'_>) {
    let (config, spec) = configuration(profile, bytes);
    let lengths = config.min_message_bytes..=config.max_message_bytes;
    let channel = Channel::<P>::new(config.data_id, lengths);
    let receiver = channel.and_then(|channel| Ok((channel, Receiver::new(channel, spec)?)));
    let in_c = CReceiver::new(&config);
    assert_eq!(receiver.is_ok(), in_c.is_ok(), "{config:?}");
    let (Ok((channel, mut receiver)), Ok(mut in_c)) = (receiver, in_c) else {
        return;
    };
    let mut sender = Sender::new(channel);
    let mut message = Vec::new();
    for _ in 0..MOST_MESSAGES {
        if bytes.is_empty() {
            return;
        }
        let mut is_there = true;
        match bytes.u8() % 8 {
            0 => message = bytes.slice(4096).to_vec(),
            1 => {}
            2 => is_there = false,
            3 => {
                let at = usize::from(bytes.u16());
                let length = message.len().max(1);
                if let Some(byte) = message.get_mut(at % length) {
                    *byte ^= bytes.u8();
                }
            }
            4 => {
                receiver.reset();
                in_c.reset();
            }
            5 => {
                let next = bytes.u32() & P::MAX_COUNTER;
                sender = Sender::resuming(channel, next).expect("the counter is in range");
            }
            _ => {
                let payload = bytes.slice(64);
                message = vec![0; P::HEADER_BYTES + payload.len()];
                // Payloads that the channel does not take leave a message without a header.
                let _refused = sender.protect_into(payload, &mut message);
            }
        }
        let checked = receiver.check(is_there.then_some(&message[..]));
        let (state, channel_state, may_use) = in_c.check(is_there.then_some(&message[..]));
        assert_eq!(
            (checked.message as u8, checked.channel as u8),
            (state, channel_state)
        );
        assert_eq!(checked.usable_payload().is_some(), may_use == 1);
    }
}

/// Both sides of a configuration; small numbers often, so that many are sound.
fn configuration(profile: u8, bytes: &mut Bytes<'_>) -> (Config, ReceiverSpec) {
    let small = |bytes: &mut Bytes<'_>, most: u32| match bytes.u8() {
        255 => bytes.u32(),
        byte => u32::from(byte) % most,
    };
    let mut window = || WindowSpec {
        size: bytes.u8() % 80,
        min_ok: bytes.u8() % 12,
        max_error: bytes.u8() % 12,
    };
    let machine = StateMachineSpec {
        init: window(),
        valid: window(),
        invalid: window(),
        on_invalid: OnInvalid::KeepWindow,
    };
    let clears = bytes.u8() % 2;
    let spec = ReceiverSpec {
        max_delta_counter: small(bytes, 8),
        state_machine: StateMachineSpec {
            on_invalid: match clears {
                0 => OnInvalid::KeepWindow,
                _ => OnInvalid::ClearWindow,
            },
            ..machine
        },
    };
    let config = Config {
        data_id: bytes.u32(),
        min_message_bytes: small(bytes, 40),
        max_message_bytes: small(bytes, 250),
        max_delta_counter: spec.max_delta_counter,
        profile,
        on_invalid: clears,
        init: machine.init.into(),
        valid: machine.valid.into(),
        invalid: machine.invalid.into(),
    };
    (config, spec)
}

/// A payload of health: C takes it when Rust does, and no more cameras than there is room for.
fn health(payload: &[u8]) {
    let in_rust = HealthMessage::ref_from_bytes(payload)
        .ok()
        .filter(|health| health.version == HEALTH_MESSAGE_VERSION);
    let in_c = health_status(payload);
    match in_rust {
        None => assert_ne!(in_c, 0),
        Some(health) => {
            let fits = health.camera_count <= 16 && health.slot_count <= 8;
            assert_eq!(fits, in_c == 0);
            for index in 0..=usize::from(u8::MAX) {
                let _known_or_not = (health.camera(index), health.slot(index));
            }
            let _known_or_not = (health.state(), health.ego_motion(), health.reasons());
        }
    }
}
