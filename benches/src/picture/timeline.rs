//! Every frame where it lies in time.

use super::svg::{Anchor, Frame, Svg, Text};
use super::{ALARM, FAINT, SOFT, axis_label, axis_step, colour, heading, modes, words};
use crate::report::{Report, quantile};
use crate::sample::{Mode, Sample};

/// Frames beyond so many times the median are drawn at the upper edge.
const MOST_OF_MEDIAN: f64 = 2.5;

pub(super) fn draw(svg: &mut Svg, frame: Frame, report: &Report, samples: &[Sample]) {
    let legend: Vec<(&str, &str)> = modes(report)
        .map(|mode| (words(mode), colour(mode)))
        .collect();
    heading(svg, frame, "Frame by frame, ms", &legend);
    let deadline_ms = report.settings.deadline_ms;
    let answers = samples
        .iter()
        .map(|sample| 1e-6 * sample.answer_ns() as f64);
    let mut answers: Vec<f64> = answers.collect();
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return;
    };
    let median = quantile(&mut answers, 0.5);
    let longest = quantile(&mut answers, 1.0).min(MOST_OF_MEDIAN * median);
    let reach = longest.max(deadline_ms.min(MOST_OF_MEDIAN * median));
    let step = axis_step(1.05 * reach, 5.0);
    let most_ms = (1.05 * reach / step).ceil() * step;
    let begin_ns = first.due_ns.min(first.pushes[0].start_ns);
    let length_s = 1e-9 * last.step.end_ns().saturating_sub(begin_ns) as f64;
    let plot = frame.inset(52.0, 54.0, 24.0, 56.0);
    axes(svg, plot, most_ms, length_s);
    for sample in samples {
        let ms = 1e-6 * sample.answer_ns() as f64;
        let s = 1e-9 * sample.step.end_ns().saturating_sub(begin_ns) as f64;
        let x = plot.x + plot.width * (s / length_s.max(1e-9));
        let y = plot.bottom() - plot.height * (ms / most_ms).min(1.0);
        svg.dot([x, y], colour(sample.mode));
    }
    if deadline_ms <= most_ms {
        let y = plot.bottom() - plot.height * deadline_ms / most_ms;
        svg.dashed([plot.x, y], [plot.right(), y], ALARM);
        let above = Text::new(12.0, ALARM).anchored(Anchor::End);
        svg.text(plot.right() - 4.0, y - 6.0, "deadline", above);
    }
    let what = modes(report).map(|mode| match mode {
        Mode::Paced => "paced: response",
        Mode::FlatOut => "flat out: last image to frame",
    });
    let what: Vec<&str> = what.collect();
    let note = format!("s; {}; longer ones at the upper edge", what.join(", "));
    let right = Text::new(12.0, SOFT).anchored(Anchor::End);
    svg.text(plot.right(), plot.bottom() + 40.0, &note, right);
}

fn axes(svg: &mut Svg, plot: Frame, most_ms: f64, length_s: f64) {
    let step = axis_step(most_ms, 5.0);
    for mark in 0..=(most_ms / step).round() as usize {
        let ms = mark as f64 * step;
        let y = plot.bottom() - plot.height * ms / most_ms;
        svg.line([plot.x, y], [plot.right(), y], FAINT, 1.0);
        let right = Text::new(12.0, SOFT).anchored(Anchor::End);
        svg.text(plot.x - 8.0, y + 4.0, &axis_label(ms, step), right);
    }
    let step = axis_step(length_s, 8.0);
    for mark in 0..=(length_s / step).floor() as usize {
        let s = mark as f64 * step;
        let x = plot.x + plot.width * s / length_s.max(1e-9);
        let middle = Text::new(12.0, SOFT).anchored(Anchor::Middle);
        svg.text(x, plot.bottom() + 18.0, &axis_label(s, step), middle);
    }
}
