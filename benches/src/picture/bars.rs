//! Bars of stages: median, high percentile, longest.

use super::svg::{Anchor, Frame, Svg, Text};
use super::{ALARM, FAINT, INK, SOFT, axis_label, axis_step, colour, heading, modes, words};
use crate::report::{Report, Times};
use crate::sample::Mode;

/// A panel: its title and the times in it, each with what it is called there.
pub(super) struct Panel {
    title: &'static str,
    times: &'static [(&'static str, &'static str)],
}

/// The times in which the network is.
pub(super) const WHOLE: Panel = Panel {
    title: "The step, ms",
    times: &[
        ("from_last_image", "last image to frame"),
        ("response", "response, due to frame"),
        ("total", "whole work of a set"),
        ("network", "network in the step"),
        ("bare_run", "network, bare run"),
    ],
};

/// The times around it.
pub(super) const AROUND: Panel = Panel {
    title: "Around the network, ms",
    times: &[
        ("preprocess", "preprocess, all images"),
        ("align", "align"),
        ("decode", "decode"),
        ("track", "track"),
        ("publish", "publish"),
    ],
};

/// A longest time beyond so many times the largest median is cut, so that the rest stays legible.
const MOST_OF_MEDIAN: f64 = 2.2;

pub(super) fn draw(svg: &mut Svg, frame: Frame, report: &Report, panel: &Panel) {
    let legend: Vec<(&str, &str)> = modes(report)
        .map(|mode| (words(mode), colour(mode)))
        .collect();
    heading(svg, frame, panel.title, &legend);
    let plot = frame.inset(170.0, 50.0, 150.0, 62.0);
    let most = axis_end(report, panel);
    axis(svg, plot, most);
    let pitch = plot.height / panel.times.len() as f64;
    for (row, (name, label)) in panel.times.iter().enumerate() {
        let y = plot.y + row as f64 * pitch;
        let right = Text::new(13.0, INK).anchored(Anchor::End);
        svg.text(plot.x - 12.0, y + 0.5 * pitch + 4.5, label, right);
        let bars: Vec<(Mode, &Times)> = modes(report)
            .filter_map(|mode| Some((mode, report.times(mode.name(), name)?)))
            .collect();
        let top = y + 0.5 * pitch - 9.0 * bars.len() as f64;
        for (place, (mode, times)) in bars.into_iter().enumerate() {
            let y = top + 18.0 * place as f64 + 3.0;
            bar(svg, plot, y, most, times, colour(mode));
        }
    }
    let explained = "bar: median · line: to p99 (else p90) · mark: longest (red: cut)";
    svg.text(
        plot.x,
        frame.bottom() - 14.0,
        explained,
        Text::new(12.0, SOFT),
    );
}

fn high(times: &Times) -> f64 {
    times.p99_ms.or(times.p90_ms).unwrap_or(times.p50_ms)
}

fn axis_end(report: &Report, panel: &Panel) -> f64 {
    let shown = |mode: Mode| {
        panel
            .times
            .iter()
            .filter_map(move |(name, _)| report.times(mode.name(), name))
    };
    let all: Vec<&Times> = modes(report).flat_map(shown).collect();
    let largest = |value: fn(&Times) -> f64| all.iter().map(|t| value(t)).fold(1e-3, f64::max);
    let median = largest(|times| times.p50_ms);
    let longest = largest(|times| times.max_ms).min(MOST_OF_MEDIAN * median);
    let end = longest.max(median);
    let step = axis_step(end, 5.0);
    (end / step).ceil() * step
}

fn axis(svg: &mut Svg, plot: Frame, most: f64) {
    let step = axis_step(most, 5.0);
    let marks = (most / step).round() as usize;
    for mark in 0..=marks {
        let value = mark as f64 * step;
        let x = plot.x + plot.width * value / most;
        svg.line([x, plot.y], [x, plot.bottom()], FAINT, 1.0);
        let middle = Text::new(12.0, SOFT).anchored(Anchor::Middle);
        svg.text(x, plot.bottom() + 18.0, &axis_label(value, step), middle);
    }
}

fn bar(svg: &mut Svg, plot: Frame, y: f64, most: f64, times: &Times, colour: &str) {
    let at = |ms: f64| plot.x + plot.width * (ms / most).min(1.0);
    let height = 12.0;
    let median = at(times.p50_ms);
    svg.rectangle(Frame::new(plot.x, y, median - plot.x, height), colour, 0.85);
    let middle = y + 0.5 * height;
    svg.line([median, middle], [at(high(times)), middle], colour, 3.0);
    let (end, is_cut) = (at(times.max_ms), times.max_ms > most);
    let mark = if is_cut { ALARM } else { colour };
    svg.line([end, y], [end, y + height], mark, 2.0);
    let digits = if times.p50_ms < 10.0 { 2 } else { 1 };
    let text = format!(
        "{:.digits$} · {:.digits$} · {:.digits$}",
        times.p50_ms,
        high(times),
        times.max_ms
    );
    svg.text(plot.right() + 12.0, y + 10.0, &text, Text::new(12.0, SOFT));
}
