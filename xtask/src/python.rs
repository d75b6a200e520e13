//! The Python tests of `models/`, in a virtual environment below `target/`.

use crate::command::{self, CommandExt, repository};
use std::process::Command;

/// Installs what `models/pyproject.toml` pins and runs its checks and tests.
///
/// # Errors
/// When Python's `venv` is missing, an install fails or a test fails.
pub fn test() -> Result<(), String> {
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
        .run()
}
