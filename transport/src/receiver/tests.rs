use super::*;
use crate::sender::Sender;
use MessageState::{Error, NoNewData, Ok as Good, OkSomeLost, Repeated, WrongSequence};

const ID: u32 = 0x0A0B_0C0D;

fn channel<P: Profile>() -> Channel<P> {
    let header = P::HEADER_BYTES as u32;
    Channel::new(ID, header..=header + 16).expect("the lengths are right")
}

fn receiver<P: Profile>() -> Receiver<P> {
    Receiver::new(channel(), ReceiverSpec::default()).expect("the specification is right")
}

/// The message with this counter.
fn message<P: Profile>(counter: u32) -> Vec<u8> {
    let mut sender = Sender::<P>::resuming(channel(), counter).expect("in range");
    let mut out = vec![0; P::HEADER_BYTES + 8];
    sender.protect_into(b"a frame.", &mut out).expect("it fits");
    out
}

fn states<P: Profile>(receiver: &mut Receiver<P>, counters: &[u32]) -> Vec<MessageState> {
    counters
        .iter()
        .map(|&counter| receiver.check(Some(&message::<P>(counter))).message)
        .collect()
}

fn counters_are_judged<P: Profile>() {
    let mut receiver = receiver::<P>();
    assert_eq!(
        states(&mut receiver, &[0, 1, 2, 2, 4, 7, 11, 12, 11, 12, 8]),
        [
            Good,
            Good,
            Good,
            Repeated,
            OkSomeLost,
            OkSomeLost,
            WrongSequence,
            Good,
            WrongSequence,
            Good,
            WrongSequence
        ]
    );
    receiver.reset();
    assert_eq!(receiver.channel_state(), ChannelState::NoData);
    // Awaiting 0, the first message may be as far ahead as any other.
    assert_eq!(states(&mut receiver, &[2, 3]), [OkSomeLost, Good]);
    receiver.reset();
    assert_eq!(states(&mut receiver, &[3, 4]), [WrongSequence, Good]);
}

fn counters_wrap<P: Profile>() {
    let last = P::MAX_COUNTER;
    let mut receiver = receiver::<P>();
    assert_eq!(
        states(&mut receiver, &[last - 1, last, 0, 1, last - 1, 1, last]),
        [
            WrongSequence,
            Good,
            Good,
            Good,
            WrongSequence,
            OkSomeLost,
            WrongSequence
        ]
    );
}

fn every_flipped_bit_is_an_error<P: Profile>() {
    let good = message::<P>(0);
    let mut receiver = receiver::<P>();
    for bit in 0..good.len() * 8 {
        let mut damaged = good.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let checked = receiver.check(Some(&damaged));
        assert_eq!(
            (checked.message, checked.payload),
            (Error, None),
            "bit {bit}"
        );
    }
    // None of them moved the counter.
    assert_eq!(receiver.check(Some(&good)).message, Good);
}

fn foreign_messages_are_errors<P: Profile>() {
    let mut receiver = receiver::<P>();
    let header = P::HEADER_BYTES as u32;
    let other = Channel::<P>::new(ID + 1, header..=header + 40).expect("in range");
    let mut out = vec![0; P::HEADER_BYTES + 40];
    let length = Sender::new(other)
        .protect_into(&[0; 8], &mut out)
        .expect("it fits");
    assert_eq!(receiver.check(Some(&out[..length])).message, Error, "id");

    // Sealed for this channel's id, with a length beyond its range.
    let longer = Channel::<P>::new(ID, header..=header + 40).expect("in range");
    let length = Sender::new(longer)
        .protect_into(&[0; 17], &mut out)
        .expect("it fits");
    assert_eq!(receiver.check(Some(&out[..length])).message, Error, "long");
    assert_eq!(receiver.check(Some(&[])).message, Error, "empty");

    // The right CRC over a length field that lies.
    let mut lying = message::<P>(0);
    let fields = crate::profile::codec::Fields {
        length: lying.len() as u32 - 1,
        counter: 0,
        data_id: ID,
    };
    P::seal(fields, &mut lying);
    assert!(P::open(&lying).is_some());
    assert_eq!(receiver.check(Some(&lying)).message, Error, "length field");

    // A message that lost its last byte, or gained one.
    let good = message::<P>(0);
    assert_eq!(receiver.check(Some(&good[..good.len() - 1])).message, Error);
    let mut gained = good.clone();
    gained.push(0);
    assert_eq!(receiver.check(Some(&gained)).message, Error);
    assert_eq!(receiver.check(Some(&good)).message, Good);
}

#[test]
fn steps_of_the_counter_are_judged() {
    counters_are_judged::<Profile4>();
    counters_are_judged::<Profile7>();
}

#[test]
fn steps_over_the_wrap_of_the_counter_are_judged_alike() {
    counters_wrap::<Profile4>();
    counters_wrap::<Profile7>();
}

#[test]
fn every_single_flipped_bit_is_found() {
    every_flipped_bit_is_an_error::<Profile4>();
    every_flipped_bit_is_an_error::<Profile7>();
}

#[test]
fn wrong_ids_and_lengths_are_errors() {
    foreign_messages_are_errors::<Profile4>();
    foreign_messages_are_errors::<Profile7>();
}

#[test]
fn no_loss_is_tolerated_at_a_delta_of_one() {
    let spec = ReceiverSpec {
        max_delta_counter: 1,
        ..ReceiverSpec::default()
    };
    let mut receiver = Receiver::<Profile7>::new(channel(), spec).expect("in range");
    assert_eq!(
        states(&mut receiver, &[0, 1, 3, 4]),
        [Good, Good, WrongSequence, Good]
    );
}

#[test]
fn an_impossible_delta_is_refused() {
    for (delta, expected) in [(0, "1 to 32767"), (32_768, "1 to 32767")] {
        let spec = ReceiverSpec {
            max_delta_counter: delta,
            ..ReceiverSpec::default()
        };
        let error = Receiver::<Profile4>::new(channel(), spec).expect_err("out of range");
        assert_eq!(
            error.to_string(),
            format!("max_delta_counter: expected {expected} (profile 4), found {delta}")
        );
    }
    let spec = ReceiverSpec {
        max_delta_counter: u32::MAX / 2 + 1,
        ..ReceiverSpec::default()
    };
    assert!(Receiver::<Profile7>::new(channel(), spec).is_err());
}

#[test]
fn a_payload_is_usable_when_message_and_channel_are() {
    let mut receiver = receiver::<Profile7>();
    for counter in 0..3 {
        let bytes = message::<Profile7>(counter);
        let checked = receiver.check(Some(&bytes));
        assert_eq!(checked.channel, ChannelState::Init);
        assert_eq!(checked.payload, Some(&b"a frame."[..]));
        assert_eq!(checked.usable_payload(), None);
    }
    let bytes = message::<Profile7>(3);
    let checked = receiver.check(Some(&bytes));
    assert_eq!(checked.channel, ChannelState::Valid);
    assert_eq!(checked.usable_payload(), Some(&b"a frame."[..]));

    let again = receiver.check(Some(&bytes));
    assert_eq!(
        (again.message, again.channel),
        (Repeated, ChannelState::Valid)
    );
    assert_eq!(again.payload, Some(&b"a frame."[..]));
    assert_eq!(again.usable_payload(), None);

    let silent = receiver.check(None);
    assert_eq!((silent.message, silent.payload), (NoNewData, None));
}
