//! The README says for every function of the header who may call it when; what it says of callbacks is
//! what the header says.

#[path = "readme/section.rs"]
mod section;

use std::collections::BTreeMap;
use std::path::Path;

/// Functions of the header with the comments before them.
fn functions() -> BTreeMap<String, String> {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/bevrt/bevrt.h");
    let header = std::fs::read_to_string(header).expect("the header is committed");
    let mut found = BTreeMap::new();
    let mut comment = "";
    for block in header.split("/*").skip(1) {
        let (text, code) = block.split_once("*/").unwrap_or((block, ""));
        if !text.trim().is_empty() {
            comment = text;
        }
        for line in code.lines().filter(|line| !line.starts_with("typedef")) {
            let Some(at) = line.find("bevrt_").filter(|_| !line.starts_with(' ')) else {
                continue;
            };
            let name = line[at..].split('(').next().unwrap_or_default();
            if line[at..].contains('(') {
                found.insert(name.to_owned(), comment.to_owned());
            }
        }
    }
    found
}

/// Whether a function's statuses have IN_CALLBACK, or are those of another one's that has.
fn is_refused_in_callbacks(name: &str, functions: &BTreeMap<String, String>) -> bool {
    let comment = functions[name].replace("\n *", "");
    let statuses = comment.split("Status: ").nth(1).unwrap_or_default();
    if let Some(other) = statuses.strip_prefix("as ") {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = other.find(|c: char| !is_part(c)).unwrap_or(other.len());
        return is_refused_in_callbacks(&other[..end], functions);
    }
    statuses.contains("IN_CALLBACK")
}

#[test]
fn the_readme_has_the_thread_rules_of_every_function() {
    let functions = functions();
    assert!(functions.len() > 30, "{:?}", functions.keys());
    let mut rows: BTreeMap<String, bool> = BTreeMap::new();
    let table = section::read("threads");
    for row in table.lines().skip(2) {
        let columns: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [names, _beside, _waits_for, in_callback] = columns[..] else {
            panic!("expected four columns, found {row}");
        };
        let refused = match in_callback {
            "works" => false,
            "IN_CALLBACK" => true,
            other => panic!("expected works or IN_CALLBACK, found {other}"),
        };
        for name in names.split(", ") {
            let name = name.trim_matches('`').to_owned();
            let before = rows.insert(name, refused);
            assert!(before.is_none(), "a function stands twice: {row}");
        }
    }
    let found: Vec<&String> = rows.keys().collect();
    assert_eq!(found, functions.keys().collect::<Vec<_>>());
    for (name, refused) in &rows {
        let stated = is_refused_in_callbacks(name, &functions);
        assert_eq!(*refused, stated, "{name}: README and header differ");
    }
}
