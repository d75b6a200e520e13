//! The options of `bevrt replay`: a part, several rounds, a pipe, real time.

use crate::{folder, frames, repository, success, text};
use bevrt_runtime::OutputFrame;
use serde_json::Value;
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

    // No machine keeps up with this: one set is taken at the beginning, and the last in the end.
    let (told, frames) = replayed(&folder, &log, "fast", &["--paced", "--speed", "1000"]);
    let [dropped, made] = ["dropped_sets", "frames"].map(|what| count(&told, what));
    assert_eq!(made, frames.len() as u64);
    assert!(dropped >= 5 && dropped + made >= 11, "{told}");
    let begin_ns = frames[0].stamp_ns;
    assert_eq!(stamps_ms(&frames, begin_ns).last(), Some(&2000));
}
