//! Set-up and checks of the repository: `cargo xtask demo`, `bench`, `test`,
//! `instructions`, `sanitize`, `dist`.

mod command;
mod dist;
mod fuzz;
mod instructions;
mod onnx_runtime;
mod python;
mod sanitize;

use command::{CommandExt, repository};
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask <command>

  demo [ARGS]   set up ONNX Runtime, build, render a drive, replay it: out/demo/index.html
                (ARGS go to `bevrt demo`, see `cargo xtask demo --help`)
  bench [ARGS]  set up ONNX Runtime, build, measure the whole step on this machine
                (ARGS go to `bevrt bench`, see benches/README.md)
  test          set up ONNX Runtime, run every test that needs Rust and Python 3 alone
  test --all    also the Python tests that need packages: PyTorch, OpenCV, ASAM's OSI bindings
                (virtual environments below target/)
  instructions  count the instructions of every kernel under valgrind and compare them with
                benches/instructions.toml; --renew writes that file
  dist [FOLDER] build the C library and lay its install tree out (target/dist)
  fuzz [--seconds N] [TARGET…]
                libFuzzer on hostile input (600 s each), where a nightly toolchain and cargo-fuzz are
  sanitize address|thread
                the C programs of the ABI's tests on a library that is instrumented itself, where a
                nightly toolchain (for thread: with rust-src) is
  setup         only bring ONNX Runtime; prints the path of the library
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(command @ ("demo" | "bench")) => bevrt(command, &arguments[1..]),
        Some("test") => test(&arguments[1..]),
        Some("fuzz") => fuzz::run(&arguments[1..]),
        Some("sanitize") => sanitize::run(&arguments[1..]),
        Some("instructions") => count_instructions(&arguments[1..]),
        Some("dist") => install_tree(&arguments[1..]),
        Some("setup") => onnx_runtime::provide().map(|path| println!("{}", path.display())),
        Some("help" | "--help" | "-h") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!(
            "unknown command `{other}`; expected demo, bench, test, instructions, fuzz, sanitize, dist or setup (see `cargo xtask help`)"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn count_instructions(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => instructions::check(false),
        [flag] if flag == "--renew" => instructions::check(true),
        other => Err(format!(
            "`instructions` takes nothing or --renew, found {other:?}"
        )),
    }
}

fn install_tree(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => dist::lay_out(&command::target().join("dist")),
        [folder] => dist::lay_out(folder.as_ref()),
        other => Err(format!("`dist` takes one folder or none, found {other:?}")),
    }
}

/// Builds the `bevrt` command and runs one of its commands.
fn bevrt(command: &str, arguments: &[String]) -> Result<(), String> {
    let library = onnx_runtime::provide()?;
    command::say("building the bevrt command (release)");
    command::cargo()
        .args(["build", "--release", "--package", "bevrt-cli"])
        .run()?;
    let bevrt = repository().join("target/release/bevrt");
    Command::new(bevrt)
        .arg(command)
        .args(arguments)
        .env("BEVRT_ONNXRUNTIME", library)
        .current_dir(repository())
        .run()
}

fn test(arguments: &[String]) -> Result<(), String> {
    let with_all = match arguments {
        [] => false,
        [flag] if flag == "--all" => true,
        other => return Err(format!("`test` takes nothing or --all, found {other:?}")),
    };
    let library = onnx_runtime::provide()?;
    command::say("running the Rust tests");
    command::cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(without_cpp()?)
        .env("BEVRT_ONNXRUNTIME", &library)
        .run()?;
    if with_all {
        python::test(&library)
    } else {
        Ok(())
    }
}

/// What is left out where there is no C++ compiler: the cxx bridge is built by one.
fn without_cpp() -> Result<&'static [&'static str], String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    if Command::new(compiler).arg("--version").output().is_ok() {
        return Ok(&[]);
    }
    command::skip("the cxx bridge: there is no C++ compiler")?;
    Ok(&["--exclude", "bevrt-cxx", "--exclude", "bevrt-cxx-program"])
}
