//! The page of `bevrt view`: frames come as they are made, and it can be stopped, stepped and sought.

use super::served::Served;
use super::{browser, file, success, text};

#[test]
fn the_live_page_follows_pauses_steps_and_seeks() {
    let Some(mut browser) = browser("view") else {
        return;
    };
    let drive = file("view_page.mcap");
    success(&[
        "sim",
        "--seed",
        "950101",
        "--seconds",
        "4",
        "--rate",
        "4",
        "--times-network",
        "1",
        "--out",
        text(&drive),
    ]);
    let mut served = Served::start(&[text(&drive)]);
    let page = format!("http://{}/", served.address);
    browser.look_as(1280, 900, "light");
    browser.open_address(&page);
    assert_eq!(
        browser.value("document.documentElement.dataset.theme"),
        "light"
    );
    browser.wait_for("data.frames.length >= 4");
    browser.wait_for("state.playing && state.index === last()");
    browser.wait_for("views[0].getImageData(200, 100, 1, 1).data[3] === 255");
    browser.wait_for("document.getElementById('health').textContent !== ''");

    // Space stops it for all, an arrow makes one frame more.
    browser.press(" ");
    browser.wait_for("!state.playing");
    browser.value("ask({ op: 'pause' })");
    browser.wait_for("(window.seen = data.frames.length) > 0");
    browser.press("ArrowRight");
    browser.wait_for("data.frames.length > window.seen && state.index === last()");
    let newest = browser.value("state.index");
    browser.press("ArrowLeft");
    assert_eq!(
        browser.value("state.index").as_u64(),
        newest.as_u64().map(|index| index - 1)
    );
    assert_eq!(
        browser.value("document.getElementById('follow').getAttribute('aria-pressed')"),
        "false"
    );
    browser.wait_for("location.hash.startsWith('#t-')");
    browser.press("Home");
    assert_eq!(browser.value("state.index"), 0);

    // The slider goes to a frame that is kept, and to one that is not there yet.
    let to = |seconds: f64| {
        format!(
            "$('slider').value = {seconds}; $('slider').dispatchEvent(new Event('input')); \
             $('slider').dispatchEvent(new Event('change'))"
        )
    };
    browser.value(&to(0.3));
    assert!(browser.value("data.frames[state.index].time_s").as_f64() < Some(0.5));
    assert_eq!(browser.value("run"), 0);
    browser.value(&to(3.5));
    browser.wait_for("run === 1 && data.frames.length === 1 && !state.playing");
    let time_s = browser.value("data.frames[0].time_s").as_f64();
    assert!(time_s >= Some(3.4) && time_s < Some(4.0), "{time_s:?}");
    // Its queue is full already: what was before was run through, too.
    assert_eq!(
        browser.value("data.frames[0].reasons"),
        serde_json::json!([])
    );
    browser.press(" ");
    browser.wait_for("ended && !state.playing");
    browser.press("g");
    assert_eq!(browser.value("state.truth"), true);
    browser.look_as(1280, 1500, "light");
    browser.picture(&file("view.png"));

    // Play begins anew, and an address leads to its time.
    browser.press(" ");
    browser.wait_for("run === 2 && state.playing && data.frames[0].time_s < 1");
    browser.look_as(390, 844, "dark");
    browser.open_address(&format!("{page}#t-2.50"));
    browser.wait_for("run === 3 && data.frames[0].time_s >= 2.4");
    assert_eq!(
        browser.value("document.documentElement.dataset.theme"),
        "dark"
    );
    browser.wait_for("document.documentElement.scrollWidth <= 390");
    browser.picture(&file("view-phone.png"));
    assert_eq!(browser.errors, Vec::<String>::new());
    assert!(served.is_running());

    // What goes wrong is said on the page.
    drop(served);
    browser.wait_for("!document.getElementById('trouble').hidden");
}
