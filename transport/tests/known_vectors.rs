//! Messages whose bytes are known from elsewhere.

use bevrt_transport::{
    Channel, MessageState, Profile4, Profile4Sender, Profile7, Profile7Sender, Receiver,
    ReceiverSpec,
};

const DATA_ID: u32 = 0x0A0B_0C0D;

#[test]
fn profile_4_makes_the_known_message() {
    let channel = Channel::<Profile4>::fixed(DATA_ID, 4).expect("in range");
    let mut message = [0; 16];
    let length = Profile4Sender::new(channel).protect_into(&[0; 4], &mut message);
    assert_eq!(length, Ok(16));
    let expected = [
        0x00, 0x10, 0x00, 0x00, 0x0A, 0x0B, 0x0C, 0x0D, 0x86, 0x2B, 0x05, 0x56, 0, 0, 0, 0,
    ];
    assert_eq!(message, expected);
    let mut receiver = Receiver::new(channel, ReceiverSpec::default()).expect("in range");
    assert_eq!(receiver.check(Some(&expected)).message, MessageState::Ok);
}

#[test]
fn profile_7_makes_the_known_message() {
    let channel = Channel::<Profile7>::fixed(DATA_ID, 4).expect("in range");
    let mut message = [0; 24];
    let length = Profile7Sender::new(channel).protect_into(&[0; 4], &mut message);
    assert_eq!(length, Ok(24));
    let expected = [
        0x1F, 0xB2, 0xE7, 0x37, 0xFC, 0xED, 0xBC, 0xD9, 0, 0, 0, 0x18, 0, 0, 0, 0, 0x0A, 0x0B,
        0x0C, 0x0D, 0, 0, 0, 0,
    ];
    assert_eq!(message, expected);
    let mut receiver = Receiver::new(channel, ReceiverSpec::default()).expect("in range");
    assert_eq!(receiver.check(Some(&expected)).message, MessageState::Ok);
}
