//! Parts of the crate's README that the code writes.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The part of the README between `<!-- name -->` and `<!-- /name -->`.
///
/// # Panics
/// The README has no such part.
pub fn read(name: &str) -> String {
    let text = std::fs::read_to_string(readme()).expect("the README is there");
    split(&text, name).1.to_owned()
}

/// Holds that part against what it has to be; with `BEVRT_UPDATE` set it is written anew. `test` is
/// the test that does so.
///
/// # Panics
/// The README has no such part, or says something else.
pub fn hold(name: &str, expected: &str, test: &str) {
    let text = std::fs::read_to_string(readme()).expect("the README is there");
    let (before, committed, after) = split(&text, name);
    if std::env::var_os("BEVRT_UPDATE").is_some() {
        let updated = format!("{before}{expected}{after}");
        std::fs::write(readme(), updated).expect("the README is writable");
        return;
    }
    assert!(
        committed == expected,
        "{} says something else; run BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test {test}",
        readme().display()
    );
}

/// What comes before the part, the part, and what comes behind it.
fn split<'a>(text: &'a str, name: &str) -> (&'a str, &'a str, &'a str) {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let from = text.find(&start).expect("the README has the part") + start.len();
    let to = from + text[from..].find(&end).expect("the part has an end");
    (&text[..from], &text[from..to], &text[to..])
}

/// `ImageSize` becomes `IMAGE_SIZE`.
pub fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}
