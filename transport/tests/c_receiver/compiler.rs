//! The system's C compiler, where there is one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// As an integrator's static analysis would have it.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];
/// Errors of memory and arithmetic end the program.
const SANITIZERS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("c")
}

/// Whether the driver is built with sanitizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    Plain,
    Sanitized,
}

/// The command of the compiler in this variable, or the usual one; `None`, with a message, where
/// it does not start.
///
/// # Panics
/// It does not start where `BEVRT_REQUIRE_TOOLS` is set, as in CI.
pub fn compiler(variable: &str, usual: &str) -> Option<Command> {
    let name = std::env::var(variable).unwrap_or_else(|_unset| usual.to_owned());
    let mut words = name.split_whitespace();
    let program = words.next().unwrap_or(usual);
    let starts = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = starts {
        assert!(
            std::env::var_os("BEVRT_REQUIRE_TOOLS").is_none(),
            "BEVRT_REQUIRE_TOOLS: `{program}` does not start: {error}"
        );
        println!("SKIPPED: `{program}` does not start ({error}); {variable} can name a compiler");
        return None;
    }
    let mut command = Command::new(program);
    command.args(words);
    Some(command)
}

/// Whether the compiler can link a program with sanitizers.
fn has_sanitizers(folder: &Path) -> bool {
    let source = folder.join("empty.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("the folder is the test's");
    let program = folder.join("empty");
    compiler("CC", "cc").is_some_and(|mut cc| {
        let linked = cc
            .args(SANITIZERS)
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .stderr(Stdio::null())
            .status();
        linked.is_ok_and(|status| status.success())
            && Command::new(&program)
                .status()
                .is_ok_and(|status| status.success())
    })
}

/// The driver's program; `None`, with a message, where it cannot be built on this machine.
///
/// Panics when there is a compiler and the sources do not pass it.
pub fn build_driver(build: Build, test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let mut cc = compiler("CC", "cc")?;
    if build == Build::Sanitized {
        if !has_sanitizers(&folder) {
            println!("SKIPPED: the C compiler has no address and undefined sanitizers");
            return None;
        }
        cc.args(SANITIZERS);
    }
    let program = folder.join("driver");
    cc.args(["-std=c11", "-O1", "-g"])
        .args(STRICT)
        .arg("-I")
        .arg(sources())
        .arg(sources().join("bevrt_e2e.c"))
        .arg(sources().join("bevrt_health.c"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c_receiver/driver.c"))
        .arg("-o")
        .arg(&program);
    run_compiler(&mut cc);
    Some(program)
}

/// Panics with the compiler's words when it refuses.
pub fn run_compiler(command: &mut Command) {
    let output = command.output().expect("the compiler started before");
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
