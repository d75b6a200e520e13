//! Running other programs, with the command line in the error message.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Running to success.
pub trait CommandExt {
    /// Runs the command with inherited output.
    ///
    /// # Errors
    /// When it cannot be started or ends with another status than 0; the message holds the command line.
    fn run(&mut self) -> Result<(), String>;
}

impl CommandExt for Command {
    fn run(&mut self) -> Result<(), String> {
        match self.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", line(self))),
            Err(error) => Err(format!("`{}` could not be started: {error}", line(self))),
        }
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository")
}

/// The folder that holds everything that set-up brings.
pub fn target() -> PathBuf {
    repository().join("target")
}

/// The cargo that runs this program, in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository());
    command
}

/// Python 3.
pub fn python() -> Command {
    Command::new("python3")
}

/// Leaves something out because a tool is missing.
///
/// # Errors
/// `BEVRT_REQUIRE_TOOLS` is set, as in CI.
pub fn skip(reason: &str) -> Result<(), String> {
    if std::env::var_os("BEVRT_REQUIRE_TOOLS").is_some() {
        return Err(format!("BEVRT_REQUIRE_TOOLS: {reason}"));
    }
    println!("SKIPPED: {reason}");
    Ok(())
}

/// Tells the user what is being done.
pub fn say(message: &str) {
    eprintln!("xtask: {message}");
}
