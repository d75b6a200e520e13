//! Whatever is protected comes back, and what is damaged does not.

use bevrt_transport::{
    Channel, MessageState, Profile, Profile4, Profile7, Receiver, ReceiverSpec, Sender,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

/// A sender at this counter, and a receiver that has seen the counter before it.
fn pair<P: Profile>(data_id: u32, counter: u32) -> (Sender<P>, Receiver<P>) {
    let header = P::HEADER_BYTES as u32;
    let channel = Channel::new(data_id, header..=header + 300).expect("in range");
    let before = counter.wrapping_sub(1) & P::MAX_COUNTER;
    let mut sender = Sender::resuming(channel, before).expect("in range");
    let mut receiver = Receiver::new(channel, ReceiverSpec::default()).expect("in range");
    let mut message = vec![0; P::HEADER_BYTES];
    sender
        .protect_in_place(&mut message)
        .expect("the length is the channel's");
    receiver.check(Some(&message));
    (sender, receiver)
}

fn comes_back<P: Profile>(
    data_id: u32,
    counter: u32,
    payloads: &[Vec<u8>],
) -> Result<(), TestCaseError> {
    let (mut sender, mut receiver) = pair::<P>(data_id, counter & P::MAX_COUNTER);
    let mut buffer = [0xA5; 340];
    for payload in payloads {
        let length = sender
            .protect_into(payload, &mut buffer)
            .expect("there is room");
        prop_assert_eq!(length, payload.len() + P::HEADER_BYTES);
        let checked = receiver.check(Some(&buffer[..length]));
        prop_assert_eq!(checked.message, MessageState::Ok);
        prop_assert_eq!(checked.payload, Some(payload.as_slice()));
    }
    Ok(())
}

/// Bursts up to the width of the CRC are found for certain.
fn burst_is_found<P: Profile>(
    payload: &[u8],
    at: Index,
    pattern: u32,
) -> Result<(), TestCaseError> {
    let (mut sender, mut receiver) = pair::<P>(1, 0);
    let mut message = vec![0; P::HEADER_BYTES + payload.len()];
    sender
        .protect_into(payload, &mut message)
        .expect("there is room");
    let start = at.index(message.len() - 3);
    for (byte, damage) in message[start..].iter_mut().zip(pattern.to_le_bytes()) {
        *byte ^= damage;
    }
    let checked = receiver.check(Some(&message));
    prop_assert_eq!(checked.message, MessageState::Error);
    prop_assert!(checked.payload.is_none());
    Ok(())
}

fn delta_is_judged<P: Profile>(counter: u32, lost: u32) -> Result<(), TestCaseError> {
    let counter = counter & P::MAX_COUNTER;
    let (_, mut receiver) = pair::<P>(1, counter);
    let ahead = counter.wrapping_add(lost) & P::MAX_COUNTER;
    let channel = Channel::<P>::fixed(1, 0).expect("in range");
    let mut message = vec![0; P::HEADER_BYTES];
    Sender::resuming(channel, ahead)
        .expect("in range")
        .protect_in_place(&mut message)
        .expect("the length is the channel's");
    let most = ReceiverSpec::default().max_delta_counter;
    let expected = match lost {
        0 => MessageState::Ok,
        lost if lost < most => MessageState::OkSomeLost,
        _ => MessageState::WrongSequence,
    };
    prop_assert_eq!(receiver.check(Some(&message)).message, expected);
    prop_assert_eq!(
        receiver.check(Some(&message)).message,
        MessageState::Repeated
    );
    Ok(())
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..300), 1..6)
}

proptest! {
    #[test]
    fn payloads_come_back(data_id: u32, counter: u32, payloads in payloads()) {
        comes_back::<Profile4>(data_id, counter, &payloads)?;
        comes_back::<Profile7>(data_id, counter, &payloads)?;
        // Over the wrap of the counter.
        comes_back::<Profile4>(data_id, Profile4::MAX_COUNTER, &payloads)?;
        comes_back::<Profile7>(data_id, Profile7::MAX_COUNTER, &payloads)?;
    }

    #[test]
    fn bursts_are_found(payload in vec(any::<u8>(), 0..300), at: Index, pattern in 1_u32..) {
        burst_is_found::<Profile4>(&payload, at, pattern)?;
        burst_is_found::<Profile7>(&payload, at, pattern)?;
    }

    #[test]
    fn losses_are_judged_at_every_counter(counter: u32, lost in 0_u32..6) {
        delta_is_judged::<Profile4>(counter, lost)?;
        delta_is_judged::<Profile7>(counter, lost)?;
    }

    #[test]
    fn noise_is_an_error(noise in vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(pair::<Profile4>(1, 0).1.check(Some(&noise)).message, MessageState::Error);
        prop_assert_eq!(pair::<Profile7>(1, 0).1.check(Some(&noise)).message, MessageState::Error);
    }
}
