//! Parts of the crate's README that the code writes.

use std::path::Path;

/// Holds the part of the README between `<!-- name -->` and `<!-- /name -->` against what it has to be;
/// with `BEVRT_UPDATE` set it is written anew. `test` is the test that does so.
///
/// # Panics
/// The README has no such part, or says something else.
pub fn hold(name: &str, expected: &str, test: &str) {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&readme).expect("the README is there");
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).expect("the README has the part");
    let (committed, after) = rest.split_once(&end).expect("the part has an end");
    if std::env::var_os("BEVRT_UPDATE").is_some() {
        let updated = format!("{before}{start}{expected}{end}{after}");
        std::fs::write(&readme, updated).expect("the README is writable");
        return;
    }
    assert!(
        committed == expected,
        "{} says something else; run BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test {test}",
        readme.display()
    );
}
