//! Progress bars on standard error: what is done, the rate and the remaining time.

use bevrt_runtime::Stamp;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `length` steps called `name`; hidden where standard error is no terminal.
pub fn bar(name: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix:>10} {wide_bar} {pos}/{len} {per_sec} {eta} left {msg}",
    )
    .expect("the template is valid");
    ProgressBar::new(length).with_style(style).with_prefix(name)
}

/// A bar over `seconds` of a drive, moved in milliseconds.
pub fn time_bar(name: &'static str, seconds: f64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:>10} {wide_bar} {percent} % {eta} left {msg}")
            .expect("the template is valid");
    ProgressBar::new((1e3 * seconds) as u64)
        .with_style(style)
        .with_prefix(name)
}

/// A counter of steps where their number is not known before.
pub fn spinner(name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>10} {spinner} {pos} {per_sec}")
        .expect("the template is valid");
    ProgressBar::new_spinner()
        .with_style(style)
        .with_prefix(name)
}

/// A bar over the time of drives, or a counter of frames where their length is not known.
#[derive(Clone)]
pub struct DriveBar {
    bar: ProgressBar,
    is_timed: bool,
    last: Option<Stamp>,
}

impl DriveBar {
    /// Over `length_s` seconds of one drive, or of several one after another.
    pub fn new(name: &'static str, length_s: Option<f64>) -> Self {
        Self {
            bar: match length_s {
                Some(seconds) => time_bar(name, seconds),
                None => spinner(name),
            },
            is_timed: length_s.is_some(),
            last: None,
        }
    }

    /// A frame or a message with this stamp came.
    pub fn frame(&mut self, stamp: Stamp) {
        let last = self.last.replace(stamp);
        let since_ms = last.map_or(0, |last| stamp.since(last).nanoseconds().max(0) / 1_000_000);
        self.bar
            .inc(if self.is_timed { since_ms as u64 } else { 1 });
    }

    /// Takes it away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
