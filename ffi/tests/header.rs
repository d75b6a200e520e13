//! `include/bevrt/bevrt.h` is what the code says. `BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test
//! header` writes it again.

#[path = "tools/required.rs"]
mod required;

use std::path::Path;
use std::process::Command;

/// The files that hold what crosses the ABI, in the order of the header.
const SOURCES: [&str; 11] = [
    "src/constants.rs",
    "src/status.rs",
    "../runtime/src/frame.rs",
    "../runtime/src/frame/status.rs",
    "../runtime/src/frame/elements.rs",
    "src/settings.rs",
    "src/image.rs",
    "src/info.rs",
    "src/library.rs",
    "src/pipeline.rs",
    "src/worker.rs",
];

/// What stands in comments of the code, and what in those of the header.
const WORDS: [(&str, &str); 16] = [
    ("_…", "_*"),
    ("−", "-"),
    ("π", "pi"),
    ("°", " degrees"),
    ("·", "*"),
    ("±", "+/-"),
    ("HealthReasons as bits", "BEVRT_REASON_* as bits"),
    ("HealthState", "BEVRT_HEALTH_*"),
    ("CameraState", "BEVRT_CAMERA_*"),
    ("SlotState", "BEVRT_SLOT_*"),
    ("EgoMotionState", "BEVRT_EGO_MOTION_*"),
    ("ObjectClass", "BEVRT_OBJECT_*"),
    ("MarkingType", "BEVRT_MARKING_*"),
    ("MarkingColour", "BEVRT_MARKING_*"),
    ("CoverageState", "BEVRT_COVERAGE_*"),
    (
        "turn them into enums with TryFrom<u8>",
        "compare them with the constants",
    ),
];

#[test]
fn the_header_is_that_of_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join("include/bevrt/bevrt.h");
    let made = generated(folder);
    if std::env::var_os("BEVRT_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("the header is writable");
    }
    assert!(made.is_ascii(), "compilers read the header in any encoding");
    let committed = std::fs::read_to_string(&path).expect("the header is committed");
    assert!(
        committed == made,
        "{} differs from the code; run BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test header",
        path.display()
    );
}

/// What a careful integrator's compiler is told.
const STRICT: [&str; 8] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wcast-align",
    "-Werror",
];

/// Compiles a source that does nothing but include a header.
fn compile(compiler: &str, language: &[&str], header: &str) {
    if !required::is_there(compiler) {
        return;
    }
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let name = format!("bevrt-header-{compiler}-{}", std::process::id());
    let source = std::env::temp_dir().join(name);
    let text = format!("#include <bevrt/{header}>\n#include <bevrt/{header}>\nint unused;\n");
    std::fs::write(&source, text).expect("the temporary folder is writable");
    let output = Command::new(compiler)
        .args(language)
        .args(STRICT)
        .arg("-fsyntax-only")
        .arg(format!("-I{}", include.display()))
        .arg(&source)
        .output()
        .expect("the compiler starts");
    std::fs::remove_file(&source).expect("it is ours");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {language:?}: {said}");
}

#[test]
fn the_headers_are_clean_for_strict_compilers() {
    let c = ["-x", "c", "-std=c11", "-Wstrict-prototypes"];
    compile("cc", &c, "bevrt.h");
    let cpp = ["-x", "c++", "-std=c++17"];
    compile("c++", &cpp, "bevrt.h");
    let bare = ["-x", "c++", "-std=c++17", "-fno-exceptions", "-fno-rtti"];
    compile("c++", &bare, "bevrt.hpp");
}

fn generated(folder: &Path) -> String {
    let config =
        cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("the settings are right");
    let sources = SOURCES.map(|file| folder.join(file));
    let bindings = sources
        .into_iter()
        .fold(cbindgen::Builder::new(), cbindgen::Builder::with_src)
        .with_config(config.clone())
        .generate()
        .expect("the code is read");
    let mut text = Vec::new();
    bindings.write(&mut text);
    for_c(
        &String::from_utf8(text).expect("the header is UTF-8"),
        &config,
    )
}

/// Rust's links, names and sections in comments become those of C; short comments take one line.
fn for_c(text: &str, config: &cbindgen::Config) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut source = text.lines();
    while let Some(line) = source.next() {
        if line.trim() != "/*" {
            lines.push(line.trim_end().to_owned());
            continue;
        }
        let indent = " ".repeat(line.len() - line.trim_start().len());
        let comment: Vec<String> = source
            .by_ref()
            .take_while(|line| line.trim() != "*/")
            .map(|line| comment_for_c(line.trim(), config))
            .collect();
        match &comment[..] {
            [only] => lines.push(format!("{indent}/* {only} */")),
            several => {
                for (number, line) in several.iter().enumerate() {
                    let start = if number == 0 { "/*" } else { " *" };
                    lines.push(format!("{indent}{start} {line}").trim_end().to_owned());
                }
                lines.push(format!("{indent} */"));
            }
        }
    }
    // Numbers of one kind stand together.
    let is_define = |line: &String| line.starts_with("#define");
    let mut kept: Vec<String> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_between = line.is_empty()
            && number > 0
            && is_define(&lines[number - 1])
            && lines.get(number + 1).is_some_and(|next| {
                is_define(next)
                    || lines.get(number + 2).is_some_and(is_define) && next.ends_with("*/")
            })
            && !lines[number + 1].contains(": ");
        if !is_between {
            kept.push(line.clone());
        }
    }
    kept.join("\n") + "\n"
}

fn comment_for_c(line: &str, config: &cbindgen::Config) -> String {
    let mut line = line.replace("# Safety", "The caller vouches:");
    // "[`Name`](path)" and "[`Name`]" become "Name".
    while let Some(start) = line.find("[`") {
        let Some(end) = line[start..].find("`]").map(|at| start + at) else {
            break;
        };
        let name = line[start + 2..end].to_owned();
        let mut rest = end + 2;
        if line[rest..].starts_with('(') {
            rest += line[rest..].find(')').map_or(0, |at| at + 1);
        }
        line.replace_range(start..rest, &name);
    }
    line = line.replace('`', "");
    for (rust, c) in WORDS {
        line = line.replace(rust, c);
    }
    if let Some(at) = line.find("; read them by ") {
        line.replace_range(at.., "; those below the count are valid.");
    }
    for (rust, c) in &config.export.rename {
        line = line.replace(&format!("{rust}::"), &format!("{c}."));
        line = replaced_word(&line, rust, c);
    }
    if let Some(statuses) = line.strip_prefix("bevrt_status: ") {
        line = format!("Status: {statuses}");
    }
    line.trim_end().to_owned()
}

fn replaced_word(line: &str, word: &str, with: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(word) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + word.len()..].chars().next();
        out.push_str(&rest[..at]);
        let is_whole = !before.is_some_and(is_part) && !after.is_some_and(is_part);
        out.push_str(if is_whole { with } else { word });
        rest = &rest[at + word.len()..];
    }
    out + rest
}
