//! The README lists every status. `BEVRT_UPDATE=1 cargo test -p bevrt-ffi --test statuses` writes the
//! table again.

#[path = "readme/section.rs"]
mod section;

use bevrt::Status;

#[test]
fn the_readme_lists_every_status() {
    section::hold("statuses", &table(), "statuses");
}

fn table() -> String {
    let mut table = "| number | status | `bevrt_status_str` |\n|---|---|---|\n".to_owned();
    for &status in Status::ALL {
        let text = status.text().to_str().expect("texts are ASCII");
        let name = section::screaming(&format!("{status:?}"));
        table += &format!("| {} | {name} | {text} |\n", status.number());
    }
    table
}
