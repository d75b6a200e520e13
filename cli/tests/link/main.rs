//! `bevrt hil serve`, `drive` and `relay` as processes: over loopback, through a relay, with the unit
//! killed and started anew, and between two network namespaces.

mod namespaces;
mod process;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use process::{Running, free_port, run, text};

const PACKAGE: &str = "runtime/tests/fixtures/reduced";
const DRIVE_S: &str = "2";

/// An empty folder below the one that cargo gives to tests.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("link")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder of tests is writable");
    folder
}

/// A log, and the frames of its replay.
fn log() -> &'static (PathBuf, Vec<u8>) {
    static LOG: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    LOG.get_or_init(|| {
        let folder = folder("log");
        let (log, frames) = (folder.join("drive.mcap"), folder.join("frames"));
        run(&[
            "sim",
            "--seed",
            "950102",
            "--seconds",
            DRIVE_S,
            "--times-network",
            "2",
            "--package",
            PACKAGE,
            "--out",
            text(&log),
        ]);
        run(&[
            "replay",
            text(&log),
            "--package",
            PACKAGE,
            "--out",
            text(&folder),
            "--frames",
            text(&frames),
            "--threads",
            "1",
        ]);
        let frames = std::fs::read(frames).expect("the replay wrote it");
        (log, frames)
    })
}

fn serve(before: &[&str], endpoint: &str) -> Running {
    let arguments = [
        "hil",
        "serve",
        "--package",
        PACKAGE,
        "--threads",
        "1",
        "--idle-s",
        "20",
        "--listen",
        endpoint,
    ];
    let unit = Running::start(before, &arguments);
    unit.wait_for("listening at");
    unit
}

fn drive<'a>(out: &'a Path, endpoint: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let (log, _) = log();
    let mut arguments = vec![
        "hil",
        "drive",
        text(log),
        "--connect",
        endpoint,
        "--out",
        text(out),
        "--json",
    ];
    arguments.extend(more);
    arguments
}

fn summary(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn lockstep_over_tcp_and_udp_gives_the_frames_of_a_replay() {
    for protocol in ["tcp", "udp"] {
        let out = folder(&format!("lockstep_{protocol}"));
        let endpoint = format!("{protocol}/127.0.0.1:{}", free_port());
        let _unit = serve(&[], &endpoint);
        let frames = out.join("frames");
        let said = run(&drive(
            &out,
            &endpoint,
            &["--lockstep", "--frames", text(&frames)],
        ));
        let frames = std::fs::read(frames).expect("the bench wrote it");
        assert!(
            frames == log().1,
            "{protocol}: frames differ from a replay's: {said}"
        );
        assert!(out.join("result.mcap").is_file() && out.join("summary.json").is_file());
    }
}

#[test]
fn a_simulated_drive_in_real_time_is_judged() {
    let out = folder("simulated");
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let _unit = serve(&[], &endpoint);
    let said = summary(&run(&[
        "hil",
        "drive",
        "--seed",
        "950103",
        "--seconds",
        DRIVE_S,
        "--package",
        PACKAGE,
        "--connect",
        &endpoint,
        "--out",
        text(&out),
        "--json",
    ]));
    assert!(said["frames"].as_u64() >= Some(10), "{said:#}");
    assert_eq!(said["frame_e2e"]["error"], 0, "{said:#}");
    assert!(said["from_due"]["p50_ms"].as_f64() > Some(0.0), "{said:#}");
}

#[test]
fn a_relay_loses_and_reorders_and_lockstep_gives_the_same_frames_all_the_same() {
    let out = folder("relay");
    let unit_at = format!("tcp/127.0.0.1:{}", free_port());
    let relay_at = format!("tcp/127.0.0.1:{}", free_port());
    let _unit = serve(&[], &unit_at);
    let relay = [
        "hil",
        "relay",
        "--listen",
        &relay_at,
        "--connect",
        &unit_at,
        "--loss",
        "0.02",
        "--delay-ms",
        "0..2",
        "--reorder",
        "0.02",
        "--seed",
        "7",
        "--idle-s",
        "20",
    ];
    let relay = Running::start(&[], &relay);
    relay.wait_for("listening at");
    let frames = out.join("frames");
    let lockstep = drive(&out, &relay_at, &["--lockstep", "--frames", text(&frames)]);
    let said = summary(&run(&lockstep));
    assert!(said["sent_again"].as_u64() > Some(0), "{said:#}");
    assert!(std::fs::read(frames).expect("the bench wrote it") == log().1);
    // In real time what is lost is lost, and seen.
    let said = summary(&run(&drive(&out, &relay_at, &[])));
    assert!(said["frames"].as_u64() >= Some(10), "{said:#}");
    assert!(
        said["events_taken"].as_u64() < said["events_sent"].as_u64(),
        "{said:#}"
    );
}

#[test]
fn a_killed_unit_is_found_again_and_its_drive_goes_on() {
    let out = folder("killed");
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let first = serve(&[], &endpoint);
    let mut bench = Running::start(&[], &drive(&out, &endpoint, &["--speed", "0.25"]));
    first.wait_for("a drive with");
    // Eight seconds of real time remain.
    std::thread::sleep(Duration::from_millis(2500));
    drop(first);
    let _second = serve(&[], &endpoint);
    let said = summary(&bench.finish());
    assert_eq!(said["unit_restarts"], 1, "{said:#}");
    assert!(
        said["frames"].as_u64() > said["frames_made"].as_u64(),
        "{said:#}"
    );
    assert!(said["frames_made"].as_u64() > Some(0), "{said:#}");
}

#[test]
fn a_bench_fails_without_a_unit_and_with_a_deadline_that_nobody_meets() {
    let out = folder("failing");
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let error = process::failure(&drive(&out, &endpoint, &["--silence-s", "1"]));
    assert!(
        error.contains("expected a unit that is ready within 1.0 s"),
        "{error}"
    );
    let _unit = serve(&[], &endpoint);
    let error = process::failure(&drive(&out, &endpoint, &["--deadline-ms", "0.001"]));
    assert!(
        error.contains("expected every frame within 0.001 ms"),
        "{error}"
    );
}
