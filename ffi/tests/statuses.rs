//! The README lists every status. `BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test statuses` writes the
//! table again.

use std::path::Path;

use bevrt::Status;

#[test]
fn the_readme_lists_every_status() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&readme).expect("the README is there");
    let (start, end) = ("<!-- statuses -->\n", "<!-- /statuses -->");
    let (before, rest) = text.split_once(start).expect("the README has the table");
    let (committed, after) = rest.split_once(end).expect("the table has an end");
    let table = table();
    if std::env::var_os("BEVRT_UPDATE").is_some() {
        let updated = format!("{before}{start}{table}{end}{after}");
        std::fs::write(&readme, updated).expect("the README is writable");
        return;
    }
    assert!(
        committed == table,
        "{} says something else; run BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test statuses",
        readme.display()
    );
}

fn table() -> String {
    let mut table = "| number | status | `bevrt_status_str` |\n|---|---|---|\n".to_owned();
    for &status in Status::ALL {
        let text = status.text().to_str().expect("texts are ASCII");
        let name = screaming(&format!("{status:?}"));
        table += &format!("| {} | {name} | {text} |\n", status.number());
    }
    table
}

/// `ImageSize` becomes `IMAGE_SIZE`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}
