//! C programs against the library: everything that must be refused, what must come of sound input, and
//! threads, under sanitizers and valgrind.
//!
//! The sanitizers see the C programs, and what the library does with memory of theirs. `cargo xtask
//! sanitize` runs the same programs on a library that is instrumented itself: `BEVRT_LIBRARY` names its
//! folder, `BEVRT_SANITIZER` the sanitizer, `BEVRT_SANITIZER_RUNTIME` the archive that Rust links for it.

#[path = "c_programs/packages.rs"]
mod packages;
#[path = "tools/required.rs"]
mod required;
#[path = "readme/section.rs"]
mod section;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bevrt::Status;
use required::{is_there, onnx_runtime};

const FLAGS: [&str; 9] = [
    "-std=c11",
    "-g",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Werror",
];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The small package of the runtime's tests.
fn small_package() -> PathBuf {
    crate_folder().join("../runtime/tests/fixtures/reduced")
}

/// Where the library lies: beside this program, unless it was built elsewhere.
fn library_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("BEVRT_LIBRARY") {
        return folder.into();
    }
    let test = std::env::current_exe().expect("the test has a path");
    test.parent().expect("it lies in a folder").to_path_buf()
}

/// The flags of the sanitizers that the programs are built with.
fn sanitizers() -> [&'static str; 2] {
    let chosen = match std::env::var("BEVRT_SANITIZER").as_deref() {
        Ok("thread") => "-fsanitize=thread",
        Ok("address") => "-fsanitize=address",
        Ok(other) => panic!("BEVRT_SANITIZER: expected address or thread, found {other}"),
        Err(_) => "-fsanitize=address,undefined",
    };
    [chosen, "-fno-sanitize-recover=all"]
}

/// A program built against the library, in a folder of its own.
struct Program {
    folder: PathBuf,
}

impl Program {
    fn build(source: &str, name: &str, extra: &[&str]) -> Self {
        let library = library_folder().join("libbevrt.so");
        let folder = std::env::temp_dir().join(format!("bevrt-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        for link in ["libbevrt.so", "libbevrt.so.0"] {
            let link = folder.join(link);
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(&library, link).expect("it is new");
        }
        let object = folder.join("program.o");
        let output = Command::new("cc")
            .args(FLAGS)
            .args(extra)
            .arg(format!("-I{}", crate_folder().join("include").display()))
            .arg("-c")
            .arg(crate_folder().join("tests/c").join(source))
            .arg("-o")
            .arg(&object)
            .output()
            .expect("cc runs");
        assert_sound("cc", &output);
        let mut link = Command::new("cc");
        link.arg(&object)
            .arg(format!("-L{}", folder.display()))
            .arg("-lbevrt")
            .arg(format!("-Wl,-rpath,{}", folder.display()));
        match std::env::var_os("BEVRT_SANITIZER_RUNTIME") {
            // The system's may be older than what the library calls.
            Some(runtime) => link
                .arg("-Wl,--whole-archive")
                .arg(runtime)
                .args(["-Wl,--no-whole-archive", "-Wl,--export-dynamic"])
                // It looks for the throwing of C++, which ONNX Runtime does, at the program's start.
                .args(["-Wl,--no-as-needed", "-lstdc++"]),
            None => link.args(extra),
        };
        link.args(["-lpthread", "-lm", "-ldl", "-lrt"]);
        let output = link
            .arg("-o")
            .arg(folder.join("program"))
            .output()
            .expect("cc runs");
        assert_sound("cc", &output);
        Self { folder }
    }

    /// What it prints, below `wrapper` if there is one; it must end well.
    fn run(&self, wrapper: &[&str], library: &Path) -> String {
        let output = self.output(wrapper, library);
        assert_sound(&format!("{wrapper:?} {}", self.folder.display()), &output);
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    }

    /// Runs it on the small package, its rig, and a folder of what was made of them.
    fn output(&self, wrapper: &[&str], library: &Path) -> Output {
        let package = small_package();
        let others = self.folder.join("packages");
        packages::make(&package, &others);
        let program = self.folder.join("program");
        let mut words = wrapper.iter().map(OsStr::new).collect::<Vec<_>>();
        words.push(program.as_os_str());
        let suppressions = crate_folder().join("tests/c/thread_sanitizer.supp");
        Command::new(words[0])
            .args(&words[1..])
            .arg(&package)
            .arg(package.join("golden/case0/rig.toml"))
            .arg(&others)
            .env("BEVRT_ONNXRUNTIME", library)
            // ONNX Runtime keeps what it allocates at its start.
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .env(
                "TSAN_OPTIONS",
                format!("suppressions={}", suppressions.display()),
            )
            .output()
            .expect("the program starts")
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

/// Statuses that no C program can provoke, each with the file and the test that does.
const ELSEWHERE: [(Status, &str, &str); 6] = [
    (
        Status::Panic,
        "src/pipeline.rs",
        "a_panic_stays_inside_and_leaves_a_handle_that_can_only_be_destroyed",
    ),
    (
        Status::Poisoned,
        "src/pipeline.rs",
        "a_panic_stays_inside_and_leaves_a_handle_that_can_only_be_destroyed",
    ),
    (
        Status::TooManyHandles,
        "src/handles.rs",
        "the_number_of_things_is_limited",
    ),
    (
        Status::ImageFormat,
        "src/pipeline.rs",
        "an_image_of_a_format_that_was_not_provided_for_is_refused",
    ),
    (
        Status::MotionRefused,
        "src/status.rs",
        "ego_motion_that_is_refused_for_another_reason_has_a_status",
    ),
    (
        Status::Engine,
        "src/pipeline.rs",
        "an_engine_that_lacks_a_tensor_gives_its_status",
    ),
];

/// The table of bad input, and the statuses that it lacks.
fn bad_input_section(table: &str) -> String {
    let mut text = table.to_owned() + "\nNot to be had from C:\n\n";
    for (status, file, test) in ELSEWHERE {
        let name = section::screaming(&format!("{status:?}"));
        text += &format!("- {name}: `{test}` in [`{file}`]({file})\n");
    }
    text
}

#[test]
fn every_status_is_provoked_by_a_program_or_by_the_test_that_is_named() {
    let readme = section::read("bad input");
    for &status in Status::ALL {
        let name = section::screaming(&format!("{status:?}"));
        let in_table = readme.contains(&format!("| {name} |\n"));
        let elsewhere = ELSEWHERE.iter().any(|&(other, _, _)| other == status);
        assert!(in_table || elsewhere, "nothing provokes {name}");
        assert!(!(in_table && elsewhere), "{name} can be provoked from C");
    }
    for (_, file, test) in ELSEWHERE {
        let code = std::fs::read_to_string(crate_folder().join(file)).expect("the file is there");
        assert!(code.contains(&format!("fn {test}()")), "{file}: {test}");
    }
}

/// Programs under sanitizers.
mod sanitized {
    use super::*;

    fn run(source: &str, name: &str) -> Option<String> {
        let library = onnx_runtime().filter(|_| is_there("cc"))?;
        Some(Program::build(source, name, &sanitizers()).run(&[], &library))
    }

    #[test]
    fn bad_input_gets_the_status_that_the_readme_says() {
        if let Some(table) = run("bad_input.c", "sanitized") {
            assert!(table.lines().count() > 120, "{table}");
            section::hold("bad input", &bad_input_section(&table), "c_programs");
        }
    }

    #[test]
    fn sound_input_gets_what_the_header_says() {
        if let Some(said) = run("good_use.c", "good") {
            assert!(said.ends_with("all as expected\n"), "{said}");
        }
    }

    #[test]
    fn many_threads_may_use_a_worker_and_its_pipeline() {
        if let Some(said) = run("threads.c", "threads") {
            assert!(said.starts_with("pipeline 0: "), "{said}");
        }
    }

    #[test]
    #[ignore = "needs an instrumented library: cargo xtask sanitize"]
    fn what_the_library_does_wrong_is_seen() {
        let finding = match std::env::var("BEVRT_SANITIZER").as_deref() {
            Ok("thread") => "ThreadSanitizer: data race",
            _ => "AddressSanitizer: heap-use-after-free",
        };
        let library = onnx_runtime().expect("the programs need it");
        let program = Program::build("broken_promise.c", "broken", &sanitizers());
        let output = program.output(&[], &library);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "nothing was found: {said}");
        assert!(said.contains(finding), "{said}");
        assert!(said.contains("bevrt_runtime::preprocess"), "{said}");
    }
}

/// Programs under valgrind.
mod memcheck {
    use super::*;

    fn run(source: &str, name: &str) {
        let Some(library) = onnx_runtime().filter(|_| is_there("cc") && is_there("valgrind"))
        else {
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
        run("bad_input.c", "memcheck");
    }

    #[test]
    fn sound_input_touches_no_memory_that_is_not_ours() {
        run("good_use.c", "good-memcheck");
    }

    #[test]
    fn threads_hand_memory_over_and_never_touch_it_again() {
        run("threads.c", "handed");
    }
}
