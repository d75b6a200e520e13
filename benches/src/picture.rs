//! A report as one SVG picture: stage bars with percentiles, the latency histogram, the timeline.

mod bars;
mod distribution;
mod svg;
mod timeline;

use std::path::Path;

use crate::error::BenchError;
use crate::report::{Report, Times};
use crate::sample::{Mode, Sample};
use svg::{Frame, Svg, Text};

const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 1010.0;
const MARGIN: f64 = 36.0;
const GAP: f64 = 24.0;

const INK: &str = "#111827";
const SOFT: &str = "#6b7280";
const FAINT: &str = "#e5e7eb";
const PAPER: &str = "#f9fafb";
const ALARM: &str = "#dc2626";
const BARE: &str = "#9ca3af";

/// Colours of the modes.
const fn colour(mode: Mode) -> &'static str {
    match mode {
        Mode::Paced => "#2563eb",
        Mode::FlatOut => "#ea580c",
    }
}

/// A mode in words.
const fn words(mode: Mode) -> &'static str {
    match mode {
        Mode::Paced => "paced",
        Mode::FlatOut => "flat out",
    }
}

/// The modes of a report.
fn modes(report: &Report) -> impl Iterator<Item = Mode> {
    [Mode::Paced, Mode::FlatOut]
        .into_iter()
        .filter(|mode| report.modes.contains_key(mode.name()))
}

/// Draws a report and its frames as SVG.
pub fn picture(report: &Report, samples: &[Sample]) -> String {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    title(&mut svg, report);
    cards(&mut svg, report);
    let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
    let upper = Frame::new(MARGIN, 250.0, half, 330.0);
    bars::draw(&mut svg, upper, report, &bars::WHOLE);
    bars::draw(&mut svg, upper.moved(half + GAP), report, &bars::AROUND);
    let lower = Frame::new(MARGIN, 604.0, half, 370.0);
    distribution::draw(&mut svg, lower, samples);
    timeline::draw(&mut svg, lower.moved(half + GAP), report, samples);
    svg.finish()
}

/// Writes the picture of a report.
///
/// # Errors
/// The file cannot be written.
pub fn write_picture(path: &Path, report: &Report, samples: &[Sample]) -> Result<(), BenchError> {
    std::fs::write(path, picture(report, samples)).map_err(BenchError::file(path))
}

fn title(svg: &mut Svg, report: &Report) {
    let subject = &report.subject;
    let title = format!(
        "bevrt bench · {} {} · {} on {} · {} threads",
        subject.package,
        subject.package_version,
        subject.precision,
        subject.provider,
        subject.threads
    );
    svg.text(MARGIN, 50.0, &title, Text::new(24.0, INK).bold());
    let below = format!(
        "{} · {} · bevrt {} · ONNX Runtime {} · {} build",
        report.machine.summary(),
        subject.cameras,
        report.versions.bevrt,
        report.versions.onnxruntime,
        subject.build
    );
    svg.text(MARGIN, 76.0, &below, Text::new(14.0, SOFT));
    let doubts = report.doubts.join("; ");
    if !doubts.is_empty() {
        let warning = format!("⚠ {doubts}");
        svg.text(MARGIN, 98.0, &warning, Text::new(14.0, ALARM));
    }
}

/// The figures that are asked for first.
fn cards(svg: &mut Svg, report: &Report) {
    let cards = figures(report);
    let count = cards.len() as f64;
    let width = (WIDTH - 2.0 * MARGIN - GAP * (count - 1.0)) / count;
    for (place, (name, value, below)) in cards.iter().enumerate() {
        let x = MARGIN + place as f64 * (width + GAP);
        svg.panel(Frame::new(x, 118.0, width, 108.0));
        svg.text(x + 16.0, 144.0, name, Text::new(13.0, SOFT));
        svg.text(x + 16.0, 182.0, value, Text::new(28.0, INK).bold());
        svg.text(x + 16.0, 208.0, below, Text::new(13.0, SOFT));
    }
}

fn figures(report: &Report) -> Vec<(String, String, String)> {
    let mut cards = Vec::new();
    for mode in modes(report) {
        if let Some(times) = report.times(mode.name(), "from_last_image") {
            cards.push((
                format!("last image to frame, {}", words(mode)),
                format!("{:.1} ms", times.p50_ms),
                tail(times),
            ));
        }
    }
    if let Some(ratio) = &report.step_per_bare {
        cards.push((
            "step ÷ bare run of the network".into(),
            format!("{:.3}", ratio.median),
            format!("{:.3} to {:.3} over blocks", ratio.range[0], ratio.range[1]),
        ));
    }
    if let Some(mode) = modes(report).next().map(|mode| &report.modes[mode.name()]) {
        cards.push((
            format!("misses of {:.0} ms", report.settings.deadline_ms),
            mode.deadline_misses.to_string(),
            format!(
                "of {} sets",
                mode.frames + mode.dropped_sets + mode.missing_frames
            ),
        ));
    }
    cards.push((
        "start-up to first frame".into(),
        format!("{:.0} ms", report.start_up.until_first_frame_ms),
        format!("of it opening {:.0} ms", report.start_up.open_ms),
    ));
    cards
}

/// The best-supported high percentile and the maximum, in words.
fn tail(times: &Times) -> String {
    let high = [
        ("p99.9", times.p99_9_ms),
        ("p99", times.p99_ms),
        ("p90", times.p90_ms),
    ]
    .into_iter()
    .find_map(|(name, ms)| Some(format!("{name} {:.1} · ", ms?)));
    format!("{}max {:.1}", high.unwrap_or_default(), times.max_ms)
}

/// The title of a panel, and a legend of modes on its right.
fn heading(svg: &mut Svg, frame: Frame, title: &str, legend: &[(&str, &str)]) {
    svg.panel(frame);
    let bold = Text::new(15.0, INK).bold();
    svg.text(frame.x + 18.0, frame.y + 30.0, title, bold);
    let width = |name: &str| 18.0 + 7.4 * name.chars().count() as f64 + 10.0;
    let all: f64 = legend.iter().map(|(name, _)| width(name)).sum();
    let mut x = frame.right() - 12.0 - all;
    for (name, colour) in legend {
        svg.rectangle(Frame::new(x, frame.y + 19.0, 12.0, 12.0), colour, 1.0);
        svg.text(x + 18.0, frame.y + 30.0, name, Text::new(13.0, SOFT));
        x += width(name);
    }
}

/// A round step for an axis from 0 to `most` with about `count` marks.
fn axis_step(most: f64, count: f64) -> f64 {
    let rough = (most / count).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    step.into_iter()
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A number of an axis without needless digits.
fn axis_label(value: f64, step: f64) -> String {
    let is_whole = |digits: &usize| {
        let scaled = step * 10_f64.powi(*digits as i32);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let digits = (0..3).find(is_whole).unwrap_or(3);
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::example;
    use crate::sample::tests::sample;

    #[test]
    fn the_picture_names_every_time_and_closes_every_tag() {
        let mut samples = Vec::new();
        for k in 0..40 {
            samples.push(sample(Mode::Paced, k / 10, 80.0 + (k % 7) as f64));
            samples.push(sample(Mode::FlatOut, k / 10, 79.0 + (k % 5) as f64));
        }
        let mut report = example();
        report.subject.package = "a < b & \"c\"".into();
        let svg = picture(&report, &samples);
        for name in [
            "preprocess",
            "align",
            "network",
            "decode",
            "track",
            "publish",
            "response",
        ] {
            assert!(svg.contains(name), "{name}");
        }
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let opened = svg.matches("<text").count();
        assert_eq!(opened, svg.matches("</text>").count());
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn a_report_of_one_mode_is_drawn_too() {
        let mut report = example();
        report.modes.remove("flat_out");
        report.step_per_bare = None;
        let svg = picture(&report, &[sample(Mode::Paced, 0, 80.0)]);
        assert!(!svg.contains("flat out") && !svg.contains("NaN"));
    }

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(axis_step(100.0, 5.0), 20.0);
        assert_eq!(axis_step(1006.0, 5.0), 250.0);
        assert!((axis_step(0.13, 4.0) - 0.05).abs() < 1e-12);
        assert_eq!(axis_label(0.05, 0.05), "0.05");
        assert_eq!(axis_label(7.5, 2.5), "7.5");
        assert_eq!(axis_label(40.0, 20.0), "40");
    }
}
