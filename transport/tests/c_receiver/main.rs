//! The stand-alone C receiver gives the same states as the Rust one, message by message.

mod compiler;
mod script;
mod traffic;

use std::path::Path;

use bevrt_runtime::OutputFrame;
use bevrt_transport::{
    Channel, FrameSender, HealthMessage, PROTECTED_FRAME_BYTES, Profile4, Profile7, Receiver,
    ReceiverSpec, Sender,
};
use compiler::{Build, STRICT, build_driver, compiler, run_compiler, sources};
use script::{Config, Script};
use traffic::{Random, Seen, drive};
use zerocopy::{FromBytes, IntoBytes};

/// The numbers of a table in the C source.
fn c_table(name: &str) -> Vec<u64> {
    let source = std::fs::read_to_string(sources().join("bevrt_e2e.c")).expect("it is ours");
    let start = source
        .find(&format!("{name}[256] = {{"))
        .expect("the table");
    let body = &source[start..][..source[start..].find("};").expect("its end")];
    body.split('{')
        .nth(1)
        .expect("its beginning")
        .split(',')
        .map(|word| word.trim().trim_start_matches("0x").trim_end_matches('U'))
        .filter(|digits| !digits.is_empty())
        .map(|digits| u64::from_str_radix(digits, 16).expect("a hexadecimal number"))
        .collect()
}

/// The table of a reflected polynomial, bit by bit.
fn table_of(polynomial: u64, width: u32) -> Vec<u64> {
    let reflected = polynomial.reverse_bits() >> (u64::BITS - width);
    (0..256)
        .map(|byte| {
            (0..8).fold(byte, |value: u64, _bit| {
                (value >> 1) ^ if value & 1 == 1 { reflected } else { 0 }
            })
        })
        .collect()
}

#[test]
fn the_tables_in_c_follow_from_the_polynomials() {
    assert_eq!(c_table("crc32_table"), table_of(0xF4AC_FB13, 32));
    assert_eq!(c_table("crc64_table"), table_of(0x42F0_E1EB_A9EA_3693, 64));
}

fn check_catalogue(driver: &Path) {
    let mut script = Script::default();
    let answer = |number: u64| number.to_le_bytes().to_vec();
    script.ask(b'4', b"123456789", answer(0x1697_D06A), "CRC-32/AUTOSAR");
    script.ask(
        b'8',
        b"123456789",
        answer(0x995D_C9BB_DF19_39FA),
        "CRC-64/XZ",
    );
    script.run(driver);
}

fn compare_traffic(driver: &Path) {
    let mut script = Script::default();
    let mut random = Random(20_260);
    let mut seen = Seen::default();
    for _ in 0..2000 {
        drive::<Profile4>(&mut script, &mut random, 60, &mut seen);
        drive::<Profile7>(&mut script, &mut random, 60, &mut seen);
    }
    println!("{} answers, {seen:?}", script.len());
    assert!(seen.messages.iter().all(|&count| count > 1000), "{seen:?}");
    assert!(seen.refused > 100, "{seen:?}");
    for (from, to) in [
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 2),
        (2, 3),
        (3, 2),
        (3, 3),
    ] {
        let count = seen.transitions[from][to];
        assert!(count > 300, "{from} to {to} happened {count} times");
    }
    script.run(driver);
}

fn compare_frame(driver: &Path) {
    const DATA_ID: u32 = 0x0B5E_0001;
    let length = PROTECTED_FRAME_BYTES as u32;
    let config = Config {
        data_id: DATA_ID,
        min_message_bytes: length,
        max_message_bytes: length,
        spec: ReceiverSpec::default(),
    };
    let mut script = Script::default();
    let mut receiver: Receiver<Profile7> = script
        .configure(&config)
        .expect("the configuration is right");
    let mut sender = FrameSender::new(DATA_ID);
    let mut message = vec![0; PROTECTED_FRAME_BYTES];
    let mut frame = OutputFrame::boxed();
    for sequence in 0..8 {
        frame.sequence = sequence;
        sender
            .protect_into(&frame, &mut message)
            .expect("there is room");
        if sequence == 6 {
            message[50_000] ^= 4;
        }
        let checked = receiver.check(Some(&message));
        script.check(Some(&message), &checked, &format!("frame {sequence}"));
    }
    script.run(driver);
}

/// The numbers that the driver gives for a health message, by the Rust accessors.
fn health_answer(health: &HealthMessage) -> Vec<u8> {
    let nibble = |packed: &[u8], count: u8, index: usize| {
        let state = packed[index / 2] >> (index % 2 * 4) & 15;
        u64::from(if index < usize::from(count) { state } else { 0 })
    };
    let mut numbers = vec![
        health.sequence.get(),
        health.stamp_ns.get() as u64,
        health.reason_bits.get(),
        health.deadline_misses.get().into(),
        i64::from(health.frame_age_us.get()) as u64,
        health.state.into(),
        health.ego_motion.into(),
        health.reference_camera.into(),
        health.camera_count.into(),
        health.slot_count.into(),
    ];
    numbers.extend((0..16).map(|index| nibble(&health.camera_nibbles, health.camera_count, index)));
    numbers.extend((0..8).map(|index| nibble(&health.slot_nibbles, health.slot_count, index)));
    let mut answer = vec![0; 4];
    answer.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
    answer
}

fn compare_health(driver: &Path) {
    let mut script = Script::default();
    let mut random = Random(7);
    let refused = |number: u32| number.to_le_bytes().to_vec();
    for _ in 0..500 {
        let mut bytes = random.bytes(52);
        bytes[0] = 1;
        bytes[4] = random.up_to(16) as u8;
        bytes[5] = random.up_to(8) as u8;
        let health = HealthMessage::read_from_bytes(&bytes).expect("52 bytes");
        script.ask(b'H', health.as_bytes(), health_answer(&health), "health");
        script.ask(b'H', &bytes[..51], refused(2), "length");
        bytes[4] = 17;
        script.ask(b'H', &bytes, refused(4), "cameras");
        bytes[0] = 2;
        script.ask(b'H', &bytes, refused(3), "version");
    }
    script.run(driver);
}

fn compare_all(build: Build, test: &str) {
    if let Some(driver) = build_driver(build, test) {
        check_catalogue(&driver);
        compare_traffic(&driver);
        compare_frame(&driver);
        compare_health(&driver);
    }
}

#[test]
fn c_and_rust_agree_message_by_message() {
    compare_all(Build::Plain, "plain");
}

#[test]
fn c_and_rust_agree_under_sanitizers() {
    compare_all(Build::Sanitized, "sanitized");
}

#[test]
fn a_receiver_that_was_never_configured_takes_nothing() {
    let Some(driver) = build_driver(Build::Plain, "unconfigured") else {
        return;
    };
    let mut sender = Sender::<Profile4>::new(Channel::fixed(1, 4).expect("in range"));
    let mut message = [0; 16];
    sender
        .protect_in_place(&mut message)
        .expect("the length is the channel's");
    // Judged for another id, the message is an error on a channel without data.
    let other = Channel::<Profile4>::fixed(2, 4).expect("in range");
    let mut receiver = Receiver::new(other, ReceiverSpec::default()).expect("in range");
    let mut script = Script::default();
    for bytes in [&message[..], &[]] {
        let checked = receiver.check(Some(bytes));
        script.check(Some(bytes), &checked, "before init");
    }
    script.run(&driver);
}

#[test]
fn the_headers_are_clean_in_cpp() {
    let Some(mut cxx) = compiler("CXX", "c++") else {
        return;
    };
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("headers.cpp");
    std::fs::write(
        &source,
        "#include \"bevrt_e2e.h\"\n#include \"bevrt_health.h\"\n\
         int main() { bevrt_e2e_receiver_t r = {}; return bevrt_e2e_receiver_channel(&r); }\n",
    )
    .expect("the target folder can be written");
    run_compiler(
        cxx.args(["-std=c++17", "-fsyntax-only"])
            .args(STRICT)
            .arg("-I")
            .arg(sources())
            .arg(source),
    );
}

#[test]
fn the_example_of_the_readme_compiles() {
    let Some(mut cc) = compiler("CC", "cc") else {
        return;
    };
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```c\n").expect("an example in C");
    let (example, _) = rest.split_once("```").expect("its end");
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme.c");
    std::fs::write(&source, example).expect("the target folder can be written");
    run_compiler(
        cc.args(["-std=c11", "-fsyntax-only"])
            .args(STRICT)
            .arg("-I")
            .arg(sources())
            .arg(source),
    );
}
