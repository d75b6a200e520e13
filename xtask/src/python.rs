//! The Python tests of `models/` and `benches/peers/`, in a virtual environment below `target/`.

use crate::command::{self, CommandExt, repository};
use std::path::Path;
use std::process::Command;

/// Installs what `models/pyproject.toml` pins and runs its checks and tests.
///
/// # Errors
/// When Python's `venv` is missing, an install fails, a test fails or a check fails.
pub fn test(library: &Path) -> Result<(), String> {
    let environment = command::target().join("models-venv");
    let python = environment.join("bin/python");
    if !python.is_file() {
        command::say("making target/models-venv");
        command::python()
            .args(["-m", "venv"])
            .arg(&environment)
            .run()
            .map_err(|error| format!("{error}: the tests of models/ need Python's venv module"))?;
    }
    command::say(
        "installing PyTorch and the other packages of models/ (some gigabytes the first time)",
    );
    let models = repository().join("models");
    Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--editable", ".[dev]"])
        .current_dir(&models)
        .run()?;
    command::say("checking and testing models/");
    Command::new(&python)
        .args(["-m", "ruff", "check", "."])
        .current_dir(&models)
        .run()?;
    Command::new(&python)
        .args(["-m", "pytest", "-q"])
        .current_dir(&models)
        .run()?;
    peers(&python, library)
}

/// Checks `benches/peers/`, and that OpenCV and bevrt make the same network input of the same images.
fn peers(python: &Path, library: &Path) -> Result<(), String> {
    command::say("checking benches/peers/ against bevrt's preprocessing");
    let peers = repository().join("benches/peers");
    Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(peers.join("requirements.txt"))
        .run()?;
    Command::new(python)
        .args(["-m", "ruff", "check", "."])
        .current_dir(&peers)
        .run()?;
    let frames = command::target().join("peer-frames");
    command::cargo()
        .args(["run", "--quiet", "--package", "bevrt-cli", "--", "bench"])
        .args(["--sets", "3", "--dump-frames"])
        .arg(&frames)
        .env("BEVRT_ONNXRUNTIME", library)
        .run()?;
    Command::new(python)
        .arg(peers.join("check_inputs.py"))
        .arg("--frames")
        .arg(&frames)
        .current_dir(repository())
        .run()
}
