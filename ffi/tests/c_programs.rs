//! C programs against the library: everything that must be refused, and threads, under sanitizers and
//! valgrind.

#[path = "readme/section.rs"]
mod section;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bevrt_runtime::{MANIFEST_FILE, PackageKey, PackageSignature, SIGNATURE_FILE};
use ed25519_dalek::{Signer, SigningKey};

const FLAGS: [&str; 7] = [
    "-std=c11",
    "-g",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        println!("SKIPPED: there is no `{program}`");
    }
    is_there
}

/// ONNX Runtime for the programs; `None` where there is none.
fn onnx_runtime() -> Option<PathBuf> {
    match bevrt_runtime::OnnxRuntimeLibrary::load(None) {
        Ok(library) => Some(library.path().to_path_buf()),
        Err(error) => {
            println!("SKIPPED: {error}");
            None
        }
    }
}

/// A program built against the library, in a folder of its own.
struct Program {
    folder: PathBuf,
}

impl Program {
    fn build(source: &str, name: &str, extra: &[&str]) -> Self {
        let deps = std::env::current_exe()
            .expect("the test has a path")
            .parent()
            .expect("it lies in a folder")
            .to_path_buf();
        let folder = std::env::temp_dir().join(format!("bevrt-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        for link in ["libbevrt.so", "libbevrt.so.0"] {
            let link = folder.join(link);
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(deps.join("libbevrt.so"), link).expect("it is new");
        }
        let output = Command::new("cc")
            .args(FLAGS)
            .args(extra)
            .arg(format!("-I{}", crate_folder().join("include").display()))
            .arg(crate_folder().join("tests/c").join(source))
            .arg(format!("-L{}", folder.display()))
            .args(["-lbevrt", "-lpthread", "-lm"])
            .arg(format!("-Wl,-rpath,{}", folder.display()))
            .arg("-o")
            .arg(folder.join("program"))
            .output()
            .expect("cc runs");
        assert_sound("cc", &output);
        Self { folder }
    }

    /// Runs it, below `wrapper` if there is one, on the small package of the tests; behind it come a
    /// signed package, and one that was changed after signing.
    fn run(&self, wrapper: &[&str], library: &Path) -> String {
        let package = crate_folder().join("../runtime/tests/fixtures/reduced");
        let program = self.folder.join("program");
        let mut words = wrapper.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>();
        words.push(program.as_os_str());
        let output = Command::new(words[0])
            .args(&words[1..])
            .arg(&package)
            .arg(package.join("golden/case0/rig.toml"))
            .args(self.signed_packages(&package))
            .env("BEVRT_ONNXRUNTIME", library)
            // ONNX Runtime keeps what it allocates at its start.
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .output()
            .expect("the program starts");
        assert_sound(&format!("{wrapper:?} {}", program.display()), &output);
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    }
}

impl Program {
    /// Manifests with a signature each, of which the second is that of another manifest.
    fn signed_packages(&self, package: &Path) -> [PathBuf; 2] {
        let manifest = std::fs::read(package.join(MANIFEST_FILE)).expect("the fixture is whole");
        let private = SigningKey::from_bytes(&[7; 32]);
        let key = PackageKey::from_bytes(private.verifying_key().to_bytes());
        let signature = PackageSignature::new(key, private.sign(&manifest).to_bytes());
        [("signed", ""), ("changed", "# changed\n")].map(|(name, change)| {
            let folder = self.folder.join(name);
            std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
            let text = [&manifest, change.as_bytes()].concat();
            std::fs::write(folder.join(MANIFEST_FILE), text).expect("it is writable");
            let line = signature.to_string();
            std::fs::write(folder.join(SIGNATURE_FILE), line).expect("it is writable");
            folder
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary space does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn assert_sound(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn bad_input_gets_the_status_that_the_readme_says() {
    let Some(library) = onnx_runtime().filter(|_| is_there("cc")) else {
        return;
    };
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = Program::build("bad_input.c", "sanitized", &sanitizers);
    let table = program.run(&[], &library);
    assert!(table.lines().count() > 90, "{table}");
    section::hold("bad input", &table, "c_programs");
}

/// Runs a program under valgrind's memcheck.
fn memcheck(source: &str, name: &str) {
    let Some(library) = onnx_runtime().filter(|_| is_there("cc") && is_there("valgrind")) else {
        return;
    };
    let file = crate_folder().join("tests/c/onnxruntime.supp");
    let suppressions = format!("--suppressions={}", file.display());
    let valgrind = [
        "valgrind",
        "-q",
        "--error-exitcode=9",
        "--leak-check=full",
        &suppressions,
    ];
    Program::build(source, name, &[]).run(&valgrind, &library);
}

#[test]
fn bad_input_touches_no_memory_that_is_not_ours() {
    memcheck("bad_input.c", "memcheck");
}

#[test]
fn many_threads_may_use_a_worker_and_its_pipeline() {
    let Some(library) = onnx_runtime().filter(|_| is_there("cc")) else {
        return;
    };
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    Program::build("threads.c", "threads", &sanitizers).run(&[], &library);
}

#[test]
fn threads_hand_memory_over_and_never_touch_it_again() {
    memcheck("threads.c", "handed");
}
