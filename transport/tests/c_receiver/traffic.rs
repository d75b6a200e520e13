//! Random configurations and traffic: messages in order, and everything that can befall them.

use bevrt_transport::{
    Channel, ChannelState, Checked, MessageState, OnInvalid, Profile, Receiver, ReceiverSpec,
    Sender, StateMachineSpec, WindowSpec,
};

use crc::{CRC_32_AUTOSAR, CRC_64_XZ, Crc};

use crate::script::{Config, Script};

/// SplitMix64: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: u32) -> u32 {
        (self.next() % (u64::from(most) + 1)) as u32
    }

    fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.up_to(most - least)
    }

    pub fn bytes(&mut self, count: u32) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// What was seen, so that a test can tell that it tested something.
#[derive(Debug, Default)]
pub struct Seen {
    pub messages: [u32; 6],
    /// From state to state.
    pub transitions: [[u32; 4]; 4],
    pub refused: u32,
}

impl Seen {
    fn note(&mut self, before: ChannelState, checked: &Checked<'_>) {
        self.messages[checked.message as usize] += 1;
        self.transitions[before as usize][checked.channel as usize] += 1;
    }
}

fn windows(random: &mut Random) -> StateMachineSpec {
    let widest = if random.up_to(9) == 0 { 64 } else { 9 };
    let valid = random.between(1, widest);
    let mut size = || random.between(1, valid);
    let (init, invalid) = (size(), size());
    let narrowest = init.min(invalid);
    let min_ok = random.between(1, narrowest);
    let spare = narrowest - min_ok;
    let window = |size: u32, max_error: u32| WindowSpec {
        size: size as u8,
        min_ok: min_ok as u8,
        max_error: max_error as u8,
    };
    let invalid_errors = random.up_to(spare);
    let init_errors = random.between(invalid_errors, spare);
    let valid_errors = random.between(init_errors, valid - min_ok);
    let mut spec = StateMachineSpec {
        init: window(init, init_errors),
        valid: window(valid, valid_errors),
        invalid: window(invalid, invalid_errors),
        on_invalid: if random.up_to(1) == 0 {
            OnInvalid::KeepWindow
        } else {
            OnInvalid::ClearWindow
        },
    };
    // Where there is room, more is asked on the way to valid than of a valid channel.
    let room = u32::from(spec.invalid.size - spec.invalid.min_ok - spec.invalid.max_error);
    spec.invalid.min_ok += random.up_to(room) as u8;
    let room = u32::from(spec.init.size - spec.init.max_error).min(spec.invalid.min_ok.into());
    spec.init.min_ok = random.between(min_ok, room) as u8;
    spec
}

/// Mostly right; one in eight has a field that is anything.
fn config<P: Profile>(random: &mut Random) -> Config {
    let header = P::HEADER_BYTES as u32;
    let min_message_bytes = header + random.up_to(8);
    let mut config = Config {
        data_id: random.next() as u32,
        min_message_bytes,
        max_message_bytes: min_message_bytes + random.up_to(60),
        spec: ReceiverSpec {
            max_delta_counter: random.between(1, 5),
            state_machine: windows(random),
        },
    };
    if random.up_to(7) == 0 {
        let byte = random.up_to(80) as u8;
        let machine = &mut config.spec.state_machine;
        match random.up_to(11) {
            0 => config.min_message_bytes = random.up_to(5000),
            1 => config.max_message_bytes = random.next() as u32 >> random.up_to(31),
            2 => config.spec.max_delta_counter = random.next() as u32 >> random.up_to(31),
            3 => machine.init.size = byte,
            4 => machine.init.min_ok = byte,
            5 => machine.init.max_error = byte,
            6 => machine.valid.size = byte,
            7 => machine.valid.min_ok = byte,
            8 => machine.valid.max_error = byte,
            9 => machine.invalid.size = byte,
            10 => machine.invalid.min_ok = byte,
            _ => machine.invalid.max_error = byte,
        }
    }
    config
}

/// A sender near the wrap of its counter in one case of three.
fn sender<P: Profile>(channel: Channel<P>, random: &mut Random) -> Sender<P> {
    let counter = match random.up_to(2) {
        0 => 0,
        1 => P::MAX_COUNTER - random.up_to(20),
        _ => random.next() as u32 & P::MAX_COUNTER,
    };
    Sender::resuming(channel, counter).expect("within the counter's range")
}

fn message<P: Profile>(sender: &mut Sender<P>, random: &mut Random) -> Vec<u8> {
    let lengths = sender.channel().message_bytes();
    // Long messages are seldom, so that the script stays small.
    let most = (*lengths.end()).min(lengths.start() + 200);
    let length = random.between(*lengths.start(), most);
    let mut message = random.bytes(length);
    sender
        .protect_in_place(&mut message)
        .expect("the length is the channel's");
    message
}

/// Runs one receiver over `checks` checks and writes them into the script.
pub fn drive<P: Profile>(script: &mut Script, random: &mut Random, checks: u32, seen: &mut Seen) {
    let config = config::<P>(random);
    let Some(mut receiver) = script.configure::<P>(&config) else {
        seen.refused += 1;
        return;
    };
    let lengths = config.min_message_bytes..=config.max_message_bytes;
    let channel = Channel::new(config.data_id, lengths.clone()).expect("it made a receiver");
    let stranger = Channel::new(config.data_id ^ 1, lengths).expect("only the id differs");
    let mut stranger = sender::<P>(stranger, random);
    let mut sender = sender(channel, random);
    let mut last = message(&mut sender, random);
    // Long calm and rough stretches, so that channels become valid and invalid.
    let mut roughness = 0;
    for _ in 0..checks {
        if random.up_to(15) == 0 {
            roughness = random.up_to(8);
        }
        let is_calm = random.up_to(9) >= roughness;
        let (bytes, what) = if is_calm {
            last = message(&mut sender, random);
            (Some(last.clone()), "in order")
        } else {
            mishap(&mut sender, &mut stranger, &mut last, random)
        };
        step(script, &mut receiver, bytes.as_deref(), what, seen);
        if random.up_to(299) == 0 {
            receiver.reset();
            script.reset(receiver.channel_state() as u8);
        }
    }
}

fn step<P: Profile>(
    script: &mut Script,
    receiver: &mut Receiver<P>,
    bytes: Option<&[u8]>,
    what: &str,
    seen: &mut Seen,
) {
    let before = receiver.channel_state();
    let checked = receiver.check(bytes);
    seen.note(before, &checked);
    script.check(bytes, &checked, what);
    let is_damaged = ["flipped", "cut", "longer", "stranger", "beyond", "lying"].contains(&what);
    assert!(
        !is_damaged || checked.message == MessageState::Error,
        "{what} was taken for {:?}",
        checked.message
    );
}

/// A message that is right in everything, but one byte longer or shorter than its channel allows.
fn beyond<P: Profile>(sender: &mut Sender<P>, random: &mut Random) -> Vec<u8> {
    let allowed = sender.channel().message_bytes();
    let shorter = allowed.start() - 1;
    let length = if random.up_to(1) == 0 && shorter >= P::HEADER_BYTES as u32 {
        shorter
    } else {
        allowed.end() + 1
    };
    let wide = Channel::new(sender.channel().data_id(), length..=length);
    let Ok(wide) = wide else {
        // The channel ends where the profile does.
        return Vec::new();
    };
    let mut message = random.bytes(length);
    Sender::<P>::resuming(wide, sender.next_counter())
        .expect("the counter is the sender's")
        .protect_in_place(&mut message)
        .expect("the length is the channel's");
    message
}

/// Changes the length field and makes the CRC fit again, by code apart from the crate's own.
fn lie_about_length<P: Profile>(message: &mut [u8]) {
    if P::HEADER_BYTES == 12 {
        message[1] ^= 1;
        let crc = Crc::<u32>::new(&CRC_32_AUTOSAR);
        let covered = [&message[..8], &message[12..]].concat();
        message[8..12].copy_from_slice(&crc.checksum(&covered).to_be_bytes());
    } else {
        message[11] ^= 1;
        let crc = Crc::<u64>::new(&CRC_64_XZ);
        let sum = crc.checksum(&message[8..]);
        message[..8].copy_from_slice(&sum.to_be_bytes());
    }
}

/// What befalls a message.
fn mishap<P: Profile>(
    sender: &mut Sender<P>,
    stranger: &mut Sender<P>,
    last: &mut Vec<u8>,
    random: &mut Random,
) -> (Option<Vec<u8>>, &'static str) {
    match random.up_to(11) {
        0 | 1 => (None, "silence"),
        2 => (Some(last.clone()), "repeated"),
        3 => {
            for _ in 0..random.between(1, 6) {
                *last = message(sender, random);
            }
            (Some(last.clone()), "after a loss")
        }
        4 => {
            let old = last.clone();
            for _ in 0..random.between(1, 3) {
                *last = message(sender, random);
            }
            (Some(old), "late")
        }
        5 => {
            let mut bytes = message(sender, random);
            let bit = random.up_to(bytes.len() as u32 * 8 - 1) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
            (Some(bytes), "flipped")
        }
        6 => {
            let mut bytes = message(sender, random);
            bytes.truncate(random.up_to(bytes.len() as u32 - 1) as usize);
            (Some(bytes), "cut")
        }
        7 => {
            let mut bytes = message(sender, random);
            bytes.extend(random.bytes(random.0 as u32 % 9 + 1));
            (Some(bytes), "longer")
        }
        8 => (Some(message(stranger, random)), "stranger"),
        9 => (Some(beyond(sender, random)), "beyond"),
        10 => {
            let mut bytes = message(sender, random);
            lie_about_length::<P>(&mut bytes);
            (Some(bytes), "lying")
        }
        _ => {
            let length = random.up_to(90);
            (Some(random.bytes(length)), "noise")
        }
    }
}
