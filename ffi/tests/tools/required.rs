//! Tools that a test needs, and ONNX Runtime: a test says SKIPPED where they are missing, and fails
//! where `BEVRT_REQUIRE_TOOLS` is set, as in CI.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::PathBuf;
use std::process::Command;

/// Says that a test cannot run.
///
/// # Panics
/// `BEVRT_REQUIRE_TOOLS` is set.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("BEVRT_REQUIRE_TOOLS").is_none(),
        "BEVRT_REQUIRE_TOOLS: {reason}"
    );
    println!("SKIPPED: {reason}");
}

/// Whether a program can be started.
///
/// # Panics
/// As [`skip`].
pub fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        skip(&format!("there is no `{program}`"));
    }
    is_there
}

/// ONNX Runtime; `None` where there is none.
///
/// # Panics
/// As [`skip`].
pub fn onnx_runtime() -> Option<PathBuf> {
    match bevrt_runtime::OnnxRuntimeLibrary::load(None) {
        Ok(library) => Some(library.path().to_path_buf()),
        Err(error) => {
            skip(&error.to_string());
            None
        }
    }
}
