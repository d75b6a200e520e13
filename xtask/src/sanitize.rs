//! `cargo xtask sanitize`: the C programs of `ffi/tests/c` on a library that a sanitizer instruments.

use crate::command::{self, CommandExt, repository, say, skip, target};
use crate::onnx_runtime;
use std::path::PathBuf;
use std::process::Command;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Builds the library under the nightly toolchain, and runs the programs on it.
///
/// # Errors
/// A build fails, or a program, as it does when its sanitizer finds something.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let sanitizer = match arguments {
        [name] if name == "address" || name == "thread" => name,
        other => {
            return Err(format!(
                "`sanitize` takes `address` or `thread`, found {other:?}"
            ));
        }
    };
    let has_thread = sanitizer == "thread";
    let Some(libraries) = libraries() else {
        return skip(
            "expected a nightly toolchain (`rustup toolchain install nightly`), found none",
        );
    };
    let source = libraries.join("src/rust/library/std");
    if has_thread && !source.is_dir() {
        return skip(&format!(
            "{}: expected the source of the standard library (`rustup component add rust-src \
             --toolchain nightly`), found none",
            source.display()
        ));
    }
    // That of the system's compiler may lack what the library calls.
    let short = if has_thread { "tsan" } else { "asan" };
    let runtime = format!("{TRIPLE}/lib/librustc-nightly_rt.{short}.a");
    let library = onnx_runtime::provide()?;
    let folder = target().join("sanitized").join(sanitizer);
    say(&format!(
        "building the library with -Zsanitizer={sanitizer}"
    ));
    // The cargo that runs this program is of another toolchain.
    let mut build = Command::new("rustup");
    build.args(["run", "nightly", "cargo", "build"]).args([
        "--package",
        "bevrt-ffi",
        "--lib",
        "--target",
        TRIPLE,
    ]);
    if has_thread {
        // Locks and reference counts of the standard library must be seen, or each would count as a race.
        build.arg("-Zbuild-std");
    }
    build
        .current_dir(repository())
        .env("RUSTFLAGS", format!("-Zsanitizer={sanitizer}"))
        .env("CARGO_TARGET_DIR", &folder)
        .run()?;
    say("running the C programs on it");
    command::cargo()
        .args(["test", "--package", "bevrt-ffi", "--test", "c_programs"])
        .args(["--", "--include-ignored", "--test-threads=1", "sanitized::"])
        .env("BEVRT_LIBRARY", folder.join(TRIPLE).join("debug"))
        .env("BEVRT_SANITIZER", sanitizer)
        .env("BEVRT_SANITIZER_RUNTIME", libraries.join(runtime))
        .env("BEVRT_ONNXRUNTIME", library)
        .run()
}

/// Where the nightly toolchain has its libraries; `None` without one.
fn libraries() -> Option<PathBuf> {
    let answer = Command::new("rustup")
        .args(["run", "nightly", "rustc", "--print", "sysroot"])
        .output()
        .ok()
        .filter(|answer| answer.status.success())?;
    let sysroot = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    Some(PathBuf::from(sysroot).join("lib/rustlib"))
}
