//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzz/`, where the tools for it are there.

use crate::command::{CommandExt, repository, say, target};
use crate::onnx_runtime;
use std::path::PathBuf;
use std::process::Command;

const TARGETS: [&str; 6] = ["abi", "manifest", "rig", "log", "e2e", "onnx_file"];
const VERSION: &str = "0.13.2";
/// Longest input; the seeds are shorter.
const LONGEST_BYTES: u32 = 65_536;
/// An input that takes longer than this, in seconds, is a finding.
const TIMEOUT_S: u32 = 20;

/// Runs the targets that are named, or all, for some seconds each.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (seconds, targets) = parse(arguments)?;
    let Some(cargo_fuzz) = tools() else {
        return Ok(());
    };
    let library = onnx_runtime::provide()?;
    for name in &targets {
        say(&format!("fuzzing {name} for {seconds} s"));
        let work = target().join("fuzz-work").join(name);
        let (corpus, findings) = (work.join("corpus"), work.join("findings"));
        for folder in [&corpus, &findings] {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Command::new(&cargo_fuzz)
            .args(["fuzz", "run", "--features", "libfuzzer", name])
            .arg(&corpus)
            .arg(repository().join("fuzz/seeds").join(name))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={TIMEOUT_S}"))
            .arg(format!("-max_len={LONGEST_BYTES}"))
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .args(["-rss_limit_mb=4096", "-print_final_stats=1"])
            // The first toolchain of the command decides over those that it starts.
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .env("CARGO_TARGET_DIR", target().join("fuzz"))
            .env("BEVRT_ONNXRUNTIME", &library)
            // ONNX Runtime keeps what it allocates at its start.
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .current_dir(repository())
            .run()?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<(u32, Vec<String>), String> {
    let mut seconds = 600;
    let mut targets = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or("--seconds: expected a number")?;
        } else if TARGETS.contains(&argument.as_str()) {
            targets.push(argument.clone());
        } else {
            return Err(format!(
                "expected --seconds N or one of {TARGETS:?}, found `{argument}`"
            ));
        }
    }
    if targets.is_empty() {
        targets = TARGETS.map(str::to_owned).to_vec();
    }
    Ok((seconds, targets))
}

/// cargo-fuzz, when it and a nightly toolchain are there.
fn tools() -> Option<PathBuf> {
    let answers = |command: &mut Command| {
        let output = command.output();
        output.is_ok_and(|output| output.status.success())
    };
    if !answers(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        say(
            "SKIPPED: expected a nightly toolchain (`rustup toolchain install nightly`), found none",
        );
        return None;
    }
    let own = target().join("tools/bin/cargo-fuzz");
    let found = [own, PathBuf::from("cargo-fuzz")]
        .into_iter()
        .find(|program| answers(Command::new(program).args(["fuzz", "--version"])));
    if found.is_none() {
        say(&format!(
            "SKIPPED: expected cargo-fuzz (`cargo install cargo-fuzz --locked --version {VERSION} \
             --root target/tools`), found none"
        ));
    }
    found
}
