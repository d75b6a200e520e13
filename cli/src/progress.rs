//! Progress bars on standard error: what is done, the rate and the remaining time.

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
