//! Every target with its kept seeds and with mutations of them, the same ones in every run.
//!
//! A failing input is written to the temporary folder, and the message says where.

mod mutation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bevrt_fuzz::TARGETS;
use mutation::Mutator;

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}: expected seeds", folder.display());
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).expect("seeds can be read");
        (file, bytes)
    };
    files.into_iter().map(read).collect()
}

fn run(target: &str, rounds: usize) {
    let (_, body) = TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .expect("it is one of the targets");
    let seeds = seeds(target);
    for (file, bytes) in &seeds {
        attempt(target, body, bytes, &file.display().to_string());
    }
    let mut mutator = Mutator::new(0x9E37_79B9_7F4A_7C15);
    for round in 0..rounds {
        let (_, first) = &seeds[mutator.below(seeds.len())];
        let (_, second) = &seeds[mutator.below(seeds.len())];
        let input = mutator.mutated(first, second);
        attempt(target, body, &input, &format!("mutation {round}"));
    }
}

fn attempt(target: &str, body: fn(&[u8]), input: &[u8], name: &str) {
    if catch_unwind(AssertUnwindSafe(|| body(input))).is_err() {
        let file = std::env::temp_dir().join(format!("bevrt-fuzz-{target}-failure"));
        std::fs::write(&file, input).expect("the temporary folder is writable");
        panic!("{target}: {name} fails; the input is in {}", file.display());
    }
}

#[test]
fn calls_of_the_abi_end_with_a_status() {
    if let Err(error) = bevrt_runtime::OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: calls on a living pipeline: {error}");
    }
    run("abi", 500);
}

#[test]
fn manifests_are_sound_or_refused() {
    run("manifest", 4000);
}

#[test]
fn rigs_and_calibration_files_are_sound_or_refused() {
    run("rig", 4000);
}

#[test]
fn logs_are_read_or_refused() {
    run("log", 1500);
}

#[test]
fn receivers_in_rust_and_c_agree() {
    run("e2e", 20_000);
}

#[test]
fn networks_are_sound_or_refused() {
    run("onnx_file", 5000);
}
