//! The options of `bevrt replay`: a part, several rounds, a pipe, real time.

use crate::{folder, frames, repository, success, text};
use bevrt_runtime::{HealthReasons, OutputFrame};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A drive of two seconds at 5 Hz: 11 sets.
fn drive(folder: &Path) -> PathBuf {
    let log = folder.join("drive.mcap");
    let sim = ["sim", "--seed", "950101", "--seconds", "2", "--rate", "5"];
    let more = ["--times-network", "1", "--out", text(&log)];
    success(&[&sim[..], &more[..]].concat());
    log
}

/// Replays into `folder/name`: what was told, and the frames.
fn replayed(
    folder: &Path,
    log: &Path,
    name: &str,
    options: &[&str],
) -> (Value, Vec<Box<OutputFrame>>) {
    let out = folder.join(name);
    let replay = ["replay", text(log), "--out", text(&out), "--json"];
    let told = success(&[&replay[..], options].concat());
    (serde_json::from_str(&told).expect("JSON"), read(&out))
}

fn read(out: &Path) -> Vec<Box<OutputFrame>> {
    let frames = frames(&out.join("result.mcap")).into_iter();
    let frame = |bytes: Vec<u8>| OutputFrame::boxed_from_frame_bytes(&bytes).expect("a frame");
    frames.map(frame).collect()
}

fn stamps_ms(frames: &[Box<OutputFrame>], begin_ns: i64) -> Vec<i64> {
    let stamps = frames.iter().map(|frame| frame.stamp_ns);
    stamps.map(|ns| (ns - begin_ns) / 1_000_000).collect()
}

#[test]
fn a_part_several_rounds_and_a_pipe_give_the_frames_that_they_should() {
    let folder = folder("replay_options");
    let log = drive(&folder);
    let (told, whole) = replayed(&folder, &log, "whole", &[]);
    assert_eq!((told["frames"].as_u64(), whole.len()), (Some(11), 11));
    assert_eq!(told["dropped_sets"], 0);
    let begin_ns = whole[0].stamp_ns;

    let part = ["--from", "0.5", "--to", "1.5"];
    let (_, part) = replayed(&folder, &log, "part", &part);
    assert_eq!(stamps_ms(&part, begin_ns), [600, 800, 1000, 1200, 1400]);

    let (_, rounds) = replayed(&folder, &log, "rounds", &["--loop", "3"]);
    assert_eq!(rounds.len(), 33);
    assert!(rounds.is_sorted_by(|a, b| a.stamp_ns < b.stamp_ns));
    let first: Vec<_> = rounds[..11].iter().map(|f| f.as_frame_bytes()).collect();
    let alone: Vec<_> = whole.iter().map(|f| f.as_frame_bytes()).collect();
    assert!(first == alone, "the first round is the drive");

    let out = folder.join("pipe");
    let status = Command::new(env!("CARGO_BIN_EXE_bevrt"))
        .args(["replay", "-", "--out", text(&out)])
        .current_dir(repository())
        .stdin(File::open(&log).expect("it was written"))
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("it was built").success());
    let piped = read(&out);
    let piped: Vec<_> = piped.iter().map(|f| f.as_frame_bytes()).collect();
    assert!(piped == alone, "a pipe gives other frames than the file");
}

#[test]
fn in_real_time_every_set_gives_a_frame_or_is_counted_as_dropped() {
    let folder = folder("replay_paced");
    let log = drive(&folder);
    let began = std::time::Instant::now();
    let (told, frames) = replayed(&folder, &log, "usual", &["--paced", "--speed", "0.5"]);
    let took_s = began.elapsed().as_secs_f64();
    assert!(took_s > 3.9, "two seconds at half the speed in {took_s} s");
    let count = |told: &Value, what: &str| told[what].as_u64().expect("a number");
    assert!(!frames.is_empty() && frames.len() as u64 == count(&told, "frames"));
    assert!(frames.is_sorted_by(|a, b| a.stamp_ns < b.stamp_ns));

    // How many are dropped is up to this machine; none is lost without being counted.
    let (told, frames) = replayed(&folder, &log, "fast", &["--paced", "--speed", "8"]);
    let [dropped, made] = ["dropped_sets", "frames"].map(|what| count(&told, what));
    assert_eq!(made, frames.len() as u64);
    assert!(dropped + made >= 11, "{told}");
    assert!(frames.is_sorted_by(|a, b| a.stamp_ns < b.stamp_ns));
}

/// The numbers of a `.npy` file of 32-bit floats.
fn numbers(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).expect("it was dumped");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let numbers = bytes[10 + header..].chunks_exact(4);
    let number = |four: &[u8]| f32::from_le_bytes(four.try_into().expect("four bytes"));
    numbers.map(number).collect()
}

/// What the network gave for a frame, by output.
fn outputs(out: &Path, frame: usize) -> BTreeMap<String, Vec<f32>> {
    let folder = out.join(format!("tensors/frame_{frame:03}/outputs"));
    let files = std::fs::read_dir(folder).expect("it was dumped");
    let output = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("it is readable").path();
        (path.display().to_string(), numbers(&path))
    };
    let outputs = files.map(output);
    let name = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
    outputs.map(|(path, values)| (name(path), values)).collect()
}

#[test]
fn a_part_gives_what_the_whole_log_gives_once_the_queue_is_full() {
    let folder = folder("replay_seek");
    let log = folder.join("drive.mcap");
    let sim = ["sim", "--seed", "950101", "--seconds", "4.5", "--rate", "4"];
    let more = ["--times-network", "1", "--out", text(&log)];
    success(&[&sim[..], &more[..]].concat());
    let dump = ["--dump-tensors", "100"];
    let (_, whole) = replayed(&folder, &log, "whole", &dump);
    let (_, part) = replayed(
        &folder,
        &log,
        "part",
        &[&dump[..], &["--from", "1"]].concat(),
    );
    let begun = whole
        .iter()
        .position(|frame| frame.stamp_ns == part[0].stamp_ns);
    let begun = begun.expect("a frame of the whole log");
    assert!((3..=5).contains(&begun), "{begun}");
    assert_eq!(whole.len() - begun, part.len());
    // The greatest difference of any output, as a share of its greatest value.
    let difference = |frame: usize| {
        let [whole, part] = [("whole", begun + frame), ("part", frame)]
            .map(|(name, frame)| outputs(&folder.join(name), frame));
        assert!(whole.len() >= 6 && whole.keys().eq(part.keys()));
        let pairs = whole.values().zip(part.values());
        let differences = pairs.map(|(whole, part)| {
            let most = whole
                .iter()
                .fold(1e-6_f32, |most, value| most.max(value.abs()));
            let apart = whole.iter().zip(part).map(|(a, b)| (a - b).abs());
            apart.fold(0.0, f32::max) / most
        });
        differences.fold(0.0, f32::max)
    };
    assert!(difference(0) > 1e-3, "an empty queue makes no difference");
    let warming_up = HealthReasons::HISTORY_WARMING_UP;
    let mut full = 0;
    for (frame, (in_part, in_whole)) in part.iter().zip(&whole[begun..]).enumerate() {
        assert_eq!(in_part.stamp_ns, in_whole.stamp_ns);
        if in_part.health.reasons().contains(warming_up) {
            continue;
        }
        full += 1;
        let apart = difference(frame);
        assert!(apart < 1e-4, "frame {frame}: {apart}");
        assert_eq!(
            in_part.health.reasons().bits(),
            in_whole.health.reasons().bits()
        );
        for (part, whole) in in_part.coverage.iter().zip(&in_whole.coverage) {
            assert_eq!(part.state, whole.state);
        }
    }
    assert!(full >= 4, "{full} frames with a full queue");
}
