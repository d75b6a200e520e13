//! Unit and bench in two network namespaces with a cable between them.

use std::process::Command;
use std::time::Duration;

use crate::process::{Running, run_behind, text};
use crate::{drive, folder, log, serve, summary};

const UNIT: &str = "tcp/10.213.7.1:7448";

/// Two namespaces and their cable; gone when dropped.
struct Namespaces {
    unit: String,
    bench: String,
}

/// Runs `ip`; says what it said when it fails.
fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", arguments.join(" "), said.trim()))
}

impl Namespaces {
    fn new() -> Result<Self, String> {
        let id = std::process::id();
        let [unit, bench] = ["unit", "bench"].map(|name| format!("bevrt-{name}-{id}"));
        let made = Self { unit, bench };
        let (unit, bench) = (made.unit.as_str(), made.bench.as_str());
        ip(&["netns", "add", unit])?;
        ip(&["netns", "add", bench])?;
        ip(&[
            "link", "add", "cable", "netns", unit, "type", "veth", "peer", "name", "cable",
            "netns", bench,
        ])?;
        for (name, address) in [(unit, "10.213.7.1/24"), (bench, "10.213.7.2/24")] {
            ip(&["-n", name, "address", "add", address, "dev", "cable"])?;
            ip(&["-n", name, "link", "set", "lo", "up"])?;
            ip(&["-n", name, "link", "set", "cable", "up"])?;
        }
        Ok(made)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [&self.unit, &self.bench] {
            // One that was never made is not there to be deleted.
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

#[test]
fn between_network_namespaces_frames_are_the_same_and_a_pulled_cable_is_survived() {
    let namespaces = match Namespaces::new() {
        Ok(namespaces) => namespaces,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    let in_unit = ["ip", "netns", "exec", &namespaces.unit];
    let in_bench = ["ip", "netns", "exec", &namespaces.bench];
    let out = folder("namespaces");
    let unit = serve(&in_unit, UNIT);
    let frames = out.join("frames");
    let lockstep = drive(&out, UNIT, &["--lockstep", "--frames", text(&frames)]);
    run_behind(&in_bench, &lockstep);
    unit.wait_for("a drive with");
    assert!(std::fs::read(frames).expect("the bench wrote it") == log().1);

    let mut bench = Running::start(&in_bench, &drive(&out, UNIT, &["--speed", "0.25"]));
    unit.wait_for("a drive with");
    // Eight seconds of real time remain.
    std::thread::sleep(Duration::from_millis(2500));
    for state in ["down", "up"] {
        ip(&["-n", &namespaces.unit, "link", "set", "cable", state]).expect("the cable is there");
        std::thread::sleep(Duration::from_millis(1000));
    }
    let said = summary(&bench.finish());
    assert!(said["frames"].as_u64() >= Some(8), "{said:#}");
    assert_eq!(said["frame_e2e"]["error"], 0, "{said:#}");
    // What was due without a cable came later or never.
    assert!(said["frame_e2e"]["silent"].as_u64() > Some(0), "{said:#}");
}
