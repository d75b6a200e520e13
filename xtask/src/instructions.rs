//! Counts the instructions of every kernel under valgrind and holds them against a committed
//! baseline: a guard against slower code that other work on the machine cannot disturb.

mod baseline;

use crate::command::{self, CommandExt, repository};
use baseline::{Baseline, Toolchain};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A count above the baseline by more than this share is a regression, below it an improvement that
/// the baseline should hold.
/// The compiler lays functions out differently where the sources lie elsewhere: 2.4 % were seen.
const TOLERANCE: f64 = 0.05;
/// The function of the kernels' program between whose entry and return is counted.
const COUNTED: &str = "kernels::kernel::measured*";

/// Compares with `benches/instructions.toml`, or writes it anew.
///
/// # Errors
/// When the program cannot be built or run, valgrind is missing where `BEVRT_REQUIRE_TOOLS` is set, or a kernel takes another number of instructions than the
/// baseline says.
pub fn check(renew: bool) -> Result<(), String> {
    let Some(valgrind) = version_of("valgrind") else {
        return command::skip("valgrind is not there, nothing counts instructions");
    };
    command::say("building the kernels (release)");
    command::cargo()
        .args(["build", "--release", "--package", "bevrt-kernels"])
        .run()?;
    let kernels = command::target().join("release/kernels");
    let toolchain = Toolchain {
        rustc: version_of("rustc").ok_or("rustc does not tell its version")?,
        valgrind,
        libc: answer(Command::new("getconf").arg("GNU_LIBC_VERSION"))?,
        processor: answer(valgrind_of(&kernels).arg("processor"))?,
    };
    let path = repository().join("benches/instructions.toml");
    if !renew {
        let old = Baseline::read(&path)?;
        if let Some(difference) = old.toolchain.difference(&toolchain) {
            println!("SKIPPED: {difference}; `cargo xtask instructions --renew` writes a baseline");
            return Ok(());
        }
        return compare(&old, &count_all(&kernels, toolchain)?);
    }
    count_all(&kernels, toolchain)?.write(&path)?;
    println!("written: {}", path.display());
    Ok(())
}

fn compare(old: &Baseline, new: &Baseline) -> Result<(), String> {
    let mut failures = Vec::new();
    println!(
        "{:<32} {:>12} {:>12} {:>8}",
        "instructions", "baseline", "now", "change"
    );
    for (name, now) in &new.counts {
        let Some((_, before)) = old.counts.iter().find(|(other, _)| other == name) else {
            failures.push(format!("{name} is not in the baseline"));
            continue;
        };
        let change = *now as f64 / *before as f64 - 1.0;
        println!(
            "{name:<32} {before:>12} {now:>12} {:>+7.1}%",
            100.0 * change
        );
        if change.abs() > TOLERANCE {
            failures.push(format!("{name}: expected {before} within 5 %, found {now}"));
        }
    }
    for (name, _) in &old.counts {
        if !new.counts.iter().any(|(other, _)| other == name) {
            failures.push(format!("{name} of the baseline is no kernel"));
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!(
        "instruction counts have changed; where that is meant, `cargo xtask instructions --renew`:\n  {}",
        failures.join("\n  ")
    ))
}

/// Counts all kernels, as many at once as there are cores.
fn count_all(kernels: &Path, toolchain: Toolchain) -> Result<Baseline, String> {
    let names = answer(Command::new(kernels).arg("list"))?;
    let names: Vec<&str> = names.lines().collect();
    let folder = command::target().join("instructions");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    command::say(&format!("counting {} kernels under valgrind", names.len()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut counts = Vec::with_capacity(names.len());
    for names in names.chunks(workers) {
        let found: Vec<Result<u64, String>> = std::thread::scope(|scope| {
            let running: Vec<_> = names
                .iter()
                .map(|name| scope.spawn(|| count(kernels, name, &folder)))
                .collect();
            let joined = running.into_iter().map(|thread| thread.join());
            joined
                .map(|result| result.unwrap_or_else(|_| Err(String::from("a thread panicked"))))
                .collect()
        });
        for (name, found) in names.iter().zip(found) {
            counts.push((String::from(*name), found?));
        }
    }
    Ok(Baseline { toolchain, counts })
}

/// Instructions of one run of a kernel.
fn count(kernels: &Path, name: &str, folder: &Path) -> Result<u64, String> {
    let profile: PathBuf = folder.join(name);
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(kernels)
        .args(["count", name]);
    answer(&mut command)?;
    let text = std::fs::read_to_string(&profile)
        .map_err(|error| format!("{}: {error}", profile.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    match total {
        Some(total) if total > 0 => Ok(total),
        _ => Err(format!(
            "{}: expected `totals:` with a number above 0; was `{COUNTED}` inlined?",
            profile.display()
        )),
    }
}

/// A program under valgrind, without any tool: it sees the processor that valgrind shows.
fn valgrind_of(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--tool=none", "-q"]).arg(program);
    command
}

/// What a program says of its version; `None` when it is not there.
fn version_of(program: &str) -> Option<String> {
    answer(Command::new(program).arg("--version")).ok()
}

/// The trimmed standard output of a command that succeeds.
fn answer(command: &mut Command) -> Result<String, String> {
    let line = format!("{command:?}");
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("`{line}` could not be started: {error}"))?;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    } else {
        let stderr = String::from_utf8_lossy(&stderr);
        Err(format!("`{line}` ended with {status}: {}", stderr.trim()))
    }
}
