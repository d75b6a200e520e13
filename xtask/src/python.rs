//! The Python tests of `models/`, `osi/` and `benches/peers/`, in virtual environments below `target/`.

use crate::command::{self, CommandExt, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the tests of all three folders.
///
/// # Errors
/// When Python's `venv` is missing, an install fails or a test fails.
pub fn test(library: &Path) -> Result<(), String> {
    test_osi()?;
    let python = environment("models-venv")?;
    test_models(&python)?;
    test_peers(&python, library)
}

/// Installs what `osi/tests/requirements.txt` pins and reads OSI traces with it.
fn test_osi() -> Result<(), String> {
    let python = environment("osi-venv")?;
    let tests = repository().join("osi/tests");
    command::say("installing ASAM's reader of OSI traces");
    Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(tests.join("requirements.txt"))
        .run()?;
    command::say("checking and testing osi/");
    Command::new(&python)
        .args(["-m", "ruff", "check", "--config"])
        .arg(repository().join("models/pyproject.toml"))
        .arg(&tests)
        .run()?;
    Command::new(&python)
        .args(["-m", "pytest", "-q"])
        .arg(&tests)
        .current_dir(repository())
        .run()
}

/// Installs what `models/pyproject.toml` pins and runs its checks and tests.
fn test_models(python: &Path) -> Result<(), String> {
    command::say(
        "installing PyTorch and the other packages of models/ (some gigabytes the first time)",
    );
    let models = repository().join("models");
    Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--editable", ".[dev]"])
        .current_dir(&models)
        .run()?;
    command::say("checking and testing models/");
    Command::new(python)
        .args(["-m", "ruff", "check", "."])
        .current_dir(&models)
        .run()?;
    Command::new(python)
        .args(["-m", "pytest", "-q"])
        .current_dir(&models)
        .run()
}

/// Checks `benches/peers/`, and that OpenCV and bevrt make the same network input of the same images.
fn test_peers(python: &Path, library: &Path) -> Result<(), String> {
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

/// The Python of a virtual environment below `target/`, made if need be.
fn environment(name: &str) -> Result<PathBuf, String> {
    let folder = command::target().join(name);
    let python = folder.join("bin/python");
    if !python.is_file() {
        command::say(&format!("making target/{name}"));
        command::python()
            .args(["-m", "venv"])
            .arg(&folder)
            .run()
            .map_err(|error| format!("{error}: the Python tests need Python's venv module"))?;
    }
    Ok(python)
}
