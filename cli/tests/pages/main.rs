//! The pages in a browser: they load without errors, move by keyboard, and links lead to frames.

mod chromium;
#[path = "../view/served.rs"]
mod served;
mod view;

use chromium::Browser;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the repository")
}

fn bevrt(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_bevrt"))
        .args(arguments)
        .current_dir(repository())
        .output()
        .expect("the command was built before its tests")
}

fn success(arguments: &[&str]) {
    let output = bevrt(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bevrt {arguments:?}: {errors}");
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

/// A browser, or the word that there is none.
fn browser(name: &str) -> Option<Browser> {
    let browser = Browser::start(name);
    if browser.is_none() {
        println!("SKIPPED: there is no Chromium (Debian: apt-get install chromium)");
    }
    browser
}

/// A table with a scenario that went well and one that did not.
fn fault_table() -> PathBuf {
    let frames = json!([
        [2.0, 0, ""],
        [2.1, 0, ""],
        [2.2, 1, "camera_missing"],
        [2.3, 0, ""]
    ]);
    let row = |name: &str, ok: bool, why: &[&str]| {
        json!({"name": name, "span": [2.1, 2.3], "expected": "degraded", "measured": "ok </script>",
               "verdict": if ok { "as expected" } else { "FAILED" }, "why": why, "ok": ok, "frames": frames})
    };
    let rows = [
        row("a camera lost", true, &[]),
        row("a clock set back", false, &["expected a fault"]),
    ];
    let path = file("faults.json");
    let table = json!({"about": "with <b>markup</b>", "rows": rows});
    std::fs::write(&path, table.to_string()).expect("the test folder is writable");
    path
}

#[test]
fn the_report_moves_by_keyboard_and_every_link_lands_on_its_frame() {
    let Some(mut browser) = browser("report") else {
        return;
    };
    let page = file("report.html");
    let faults = fault_table();
    success(&[
        "hil",
        "report",
        "--seeds",
        "950101..950103",
        "--seconds",
        "2.5",
        "--rate",
        "4",
        "--deadline-ms",
        "1",
        "--faults",
        text(&faults),
        "--out",
        text(&page),
    ]);
    browser.look_as(1280, 900, "light");
    browser.open(&page, "");
    assert_eq!(browser.value("data.frames.length"), 22);
    assert_eq!(
        browser.value("document.documentElement.dataset.theme"),
        "light"
    );
    browser.wait_for("images[0].every(image => image.complete && image.naturalWidth > 0)");
    browser.wait_for("views[0].getImageData(200, 100, 1, 1).data[3] === 255");

    for (key, index) in [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 21),
    ] {
        browser.press(key);
        assert_eq!(browser.value("state.index"), index, "{key}");
    }
    browser.wait_for("location.hash === '#frame-21'");
    browser.press("Home");
    browser.press(" ");
    browser.wait_for("state.playing && state.index >= 2");
    browser.press(" ");
    assert_eq!(browser.value("state.playing"), false);

    // Every frame is late; the latest of each drive is a moment.
    assert!(browser.value("data.moments.length").as_u64() >= Some(2));
    browser.press("Home");
    let wanted = browser.value("data.moments[1].frame");
    browser.click("#moments li:nth-child(2) a");
    assert_eq!(browser.value("state.index"), wanted);
    assert_eq!(browser.value("location.hash"), format!("#frame-{wanted}"));
    browser.picture(&file("report-light.png"));
    browser.open(&page, "#frame-13");
    assert_eq!(browser.value("state.index"), 13);
    assert_eq!(browser.value("data.frames[13].drive"), 1);

    // The scenario that failed comes first, its link marks the first frame of the fault.
    browser.click("article.failed a");
    browser.wait_for("location.hash === '#fault-1-1'");
    assert_eq!(
        browser.value("document.querySelector(':target').className"),
        "s0 in"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#faults b').length"),
        0
    );
    browser.picture(&file("report-faults.png"));

    browser.look_as(390, 844, "dark");
    browser.open(&page, "");
    assert_eq!(
        browser.value("document.documentElement.dataset.theme"),
        "dark"
    );
    browser.wait_for("document.documentElement.scrollWidth <= 390");
    browser.wait_for("images[0].every(image => image.complete)");
    browser.picture(&file("report-phone.png"));
    browser.press("End");
    browser.value("document.getElementById('player').scrollIntoView()");
    browser.picture(&file("report-phone-player.png"));
    browser.look_as(1280, 2200, "dark");
    browser.picture(&file("report-dark.png"));
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
fn the_demos_page_has_the_same_player() {
    let Some(mut browser) = browser("demo") else {
        return;
    };
    let out = file("demo_page");
    success(&[
        "demo",
        "--seconds",
        "0.5",
        "--rate",
        "4",
        "--out",
        text(&out),
    ]);
    let page = out.join("index.html");
    browser.open(&page, "#1");
    assert_eq!(browser.value("state.index"), 1);
    browser.press("ArrowRight");
    assert_eq!(browser.value("state.index"), 2);
    browser.press("g");
    assert_eq!(browser.value("state.truth"), true);
    browser.wait_for("views[0].getImageData(200, 100, 1, 1).data[3] === 255");
    browser.picture(&file("demo.png"));
    assert_eq!(browser.errors, Vec::<String>::new());
}

#[test]
fn frames_that_differ_are_drawn_before_and_after() {
    let Some(mut browser) = browser("check") else {
        return;
    };
    let (baseline, page) = (file("check_page.json"), file("check.html"));
    let drive = [
        "--seeds",
        "950104..950105",
        "--seconds",
        "1",
        "--rate",
        "4",
        "--repeats",
        "1",
    ];
    let check = [
        "hil",
        "check",
        "--baseline",
        text(&baseline),
        "--no-latency",
    ];
    success(&[&check[..], &["--write"], &drive[..]].concat());
    let kept = std::fs::read_to_string(&baseline).expect("it was written");
    let mut kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    kept["drives"][0]["frames"][3]["hash"] = json!("00");
    kept["drives"][0]["frames"][3]["elements"]["lines"] = json!([]);
    std::fs::write(&baseline, kept.to_string()).expect("it is writable");
    let again = ["--repeats", "1", "--page", text(&page)];
    let output = bevrt(&[&check[..], &again[..]].concat());
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("1 of 5 frames") && told.contains("frame 3 of seed 950104"),
        "{told}"
    );
    browser.look_as(1280, 900, "light");
    browser.open(&page, "");
    assert_eq!(
        browser.value("document.querySelectorAll('.pair canvas').length"),
        2
    );
    let is_drawn = "[...document.querySelectorAll('.pair canvas')].every(c => c.getContext('2d').getImageData(320, 300, 1, 1).data[3] === 255)";
    assert_eq!(browser.value(is_drawn), true);
    browser.press("o");
    assert_eq!(browser.value("over"), true);
    browser.picture(&file("check.png"));
    assert_eq!(browser.errors, Vec::<String>::new());
}
