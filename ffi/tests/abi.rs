//! `abi/bevrt.abi` records what a C compiler makes of the header: sizes, offsets, numbers, functions.
//! A change of it is a change of the ABI: raise the version, then `BEVRT_UPDATE=1 cargo test -p
//! bevrt-ffi --test abi` writes it again. It refuses where the version does not allow the change.

#[path = "abi/record.rs"]
mod record;
#[path = "tools/required.rs"]
mod required;

use std::path::Path;
use std::process::Command;

#[test]
fn the_abi_is_the_recorded_one() {
    if !required::is_there("cc") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header =
        std::fs::read_to_string(folder.join("include/bevrt/bevrt.h")).expect("it is there");
    let found = printed(folder, &program(&header)) + &functions(&header);
    let path = folder.join("abi/bevrt.abi");
    let recorded = std::fs::read_to_string(&path).expect("the record is committed");
    if let Err(refusal) = record::check(&recorded, &found) {
        panic!("{refusal}");
    }
    if std::env::var_os("BEVRT_UPDATE").is_some() {
        std::fs::write(&path, found).expect("the record is writable");
        return;
    }
    assert!(
        recorded == found,
        "{} is of an older version; write it again with BEVRT_UPDATE=1",
        path.display()
    );
}

/// Lines of the header without comments.
fn lines(header: &str) -> Vec<&str> {
    let mut is_comment = false;
    let mut kept = Vec::new();
    for line in header.lines().map(str::trim) {
        is_comment |= line.starts_with("/*");
        if !is_comment {
            kept.push(line);
        }
        is_comment &= !line.ends_with("*/");
    }
    kept
}

/// A C program that prints numbers, sizes and offsets.
fn program(header: &str) -> String {
    let mut body = String::new();
    let mut fields: Vec<String> = Vec::new();
    for line in lines(header) {
        if let Some((name, value)) = line
            .strip_prefix("#define BEVRT_")
            .and_then(|rest| rest.split_once(' '))
        {
            if value.parse::<i64>().is_ok() {
                body += &format!("  printf(\"BEVRT_{name} %lld\\n\", (long long)BEVRT_{name});\n");
            }
        } else if let Some((name, _)) = line
            .split_once(" = ")
            .filter(|_| line.starts_with("BEVRT_"))
        {
            body += &format!("  printf(\"{name} %d\\n\", (int){name});\n");
        } else if line.starts_with("typedef struct {") {
            fields.clear();
        } else if let Some(name) = line
            .strip_prefix("} ")
            .and_then(|rest| rest.strip_suffix(';'))
        {
            if fields.is_empty() {
                continue;
            }
            body += &format!("  printf(\"{name} size %zu\\n\", sizeof({name}));\n");
            for field in fields.drain(..) {
                body += &format!(
                    "  printf(\"{name}.{field} offset %zu size %zu\\n\", offsetof({name}, {field}), \
                     sizeof((({name} *)0)->{field}));\n"
                );
            }
        } else if let Some(declared) = line.strip_suffix(';').filter(|line| !line.contains('(')) {
            let name = declared.split('[').next().unwrap_or(declared);
            let name = name.rsplit([' ', '*']).next().unwrap_or(name);
            fields.push(name.to_owned());
        }
    }
    format!(
        "#include <bevrt/bevrt.h>\n#include <stdio.h>\nint main(void) {{\n{body}  return 0;\n}}\n"
    )
}

/// Declarations of functions and of callbacks, one a line.
fn functions(header: &str) -> String {
    let text = lines(header).join(" ");
    let mut out = String::new();
    for statement in text.split(';') {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let starts = statement
            .find("typedef void (*bevrt_")
            .or_else(|| statement.find("typedef int64_t (*bevrt_"))
            .or_else(|| {
                let name = statement.find("bevrt_")?;
                let is_function = statement[name..].contains('(') && !statement.contains("ASSERT");
                is_function.then(|| {
                    statement[..name]
                        .rfind("extern \"C\" {")
                        .map_or(0, |at| at + 12)
                })
            });
        if let Some(at) = starts.filter(|_| !statement.contains("struct {")) {
            let declaration = statement[at..].trim();
            let declaration = declaration
                .rfind("#endif")
                .map_or(declaration, |at| declaration[at + 6..].trim());
            out += declaration.trim_start_matches("// __cplusplus").trim();
            out += "\n";
        }
    }
    out
}

fn printed(folder: &Path, program: &str) -> String {
    let scratch = std::env::temp_dir().join(format!("bevrt-abi-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("the temporary folder is writable");
    let source = scratch.join("abi.c");
    std::fs::write(&source, program).expect("the temporary folder is writable");
    let built = Command::new("cc")
        .arg("-std=c11")
        .arg(format!("-I{}", folder.join("include").display()))
        .arg(&source)
        .arg("-o")
        .arg(scratch.join("abi"))
        .status()
        .expect("cc runs");
    assert!(built.success(), "{program}");
    let output = Command::new(scratch.join("abi")).output().expect("it runs");
    // A folder that stays behind in the system's temporary space does no harm.
    let _ = std::fs::remove_dir_all(&scratch);
    String::from_utf8(output.stdout).expect("it prints ASCII")
}
