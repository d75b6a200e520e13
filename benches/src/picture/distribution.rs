//! How often the step takes how long.

use bevrt_runtime::Stage;

use super::svg::{Anchor, Frame, Svg, Text};
use super::{BARE, FAINT, SOFT, axis_label, axis_step, colour, heading, words};
use crate::report::quantile;
use crate::sample::{Mode, Quantity, Sample};

/// Fewest and most bins along the axis.
const BINS: [usize; 2] = [14, 70];
/// What lies beyond this share of all times is counted in the last bin.
const SHOWN: f64 = 0.995;

pub(super) fn draw(svg: &mut Svg, frame: Frame, samples: &[Sample]) {
    let step = Quantity::Stage(Stage::FromLastImage);
    let of_mode = |mode: Mode, quantity: Quantity| -> Vec<f64> {
        samples
            .iter()
            .filter(|sample| sample.mode == mode)
            .filter_map(|sample| sample.time_ns(quantity))
            .map(|ns| 1e-6 * ns as f64)
            .collect()
    };
    let all = [
        ("bare run", BARE, of_mode(Mode::FlatOut, Quantity::BareRun)),
        (
            words(Mode::FlatOut),
            colour(Mode::FlatOut),
            of_mode(Mode::FlatOut, step),
        ),
        (
            words(Mode::Paced),
            colour(Mode::Paced),
            of_mode(Mode::Paced, step),
        ),
    ];
    let curves: Vec<_> = all
        .into_iter()
        .filter(|(_, _, times)| !times.is_empty())
        .collect();
    let legend: Vec<(&str, &str)> = curves.iter().map(|(name, of, _)| (*name, *of)).collect();
    heading(svg, frame, "Last image to frame: how often", &legend);
    let mut pooled: Vec<f64> = curves
        .iter()
        .flat_map(|(_, _, times)| times)
        .copied()
        .collect();
    if pooled.is_empty() {
        return;
    }
    let (least, most) = (quantile(&mut pooled, 0.0), quantile(&mut pooled, SHOWN));
    let margin = (0.06 * (most - least)).max(0.01 * most);
    let (least, most) = ((least - margin).max(0.0), most + margin);
    let plot = frame.inset(52.0, 54.0, 24.0, 56.0);
    // Few frames in many bins would be a comb.
    let of_each = pooled.len() as f64 / curves.len() as f64;
    let bins = ((2.0 * of_each.sqrt()) as usize).clamp(BINS[0], BINS[1]);
    let shares: Vec<_> = curves
        .iter()
        .map(|(_, of, times)| (*of, shares(times, [least, most], bins)))
        .collect();
    let highest = shares
        .iter()
        .flat_map(|(_, shares)| shares)
        .copied()
        .fold(0.0, f64::max);
    axes(svg, plot, [least, most], highest);
    for (of, shares) in &shares {
        svg.area(&outline(plot, shares, highest), plot.bottom(), of);
    }
}

/// Share of the times in each bin.
fn shares(times: &[f64], [least, most]: [f64; 2], bins: usize) -> Vec<f64> {
    let mut shares = vec![0.0; bins];
    for time in times {
        let place = (bins as f64 * (time - least) / (most - least)).max(0.0) as usize;
        shares[place.min(bins - 1)] += 1.0 / times.len() as f64;
    }
    shares
}

/// The stairs of a histogram.
fn outline(plot: Frame, shares: &[f64], highest: f64) -> Vec<[f64; 2]> {
    let width = plot.width / shares.len() as f64;
    let stair = |(bin, share): (usize, &f64)| {
        let x = plot.x + bin as f64 * width;
        let y = plot.bottom() - plot.height * share / highest;
        [[x, y], [x + width, y]]
    };
    shares.iter().enumerate().flat_map(stair).collect()
}

fn axes(svg: &mut Svg, plot: Frame, [least, most]: [f64; 2], highest: f64) {
    let step = axis_step(most - least, 7.0);
    let mut value = (least / step).ceil() * step;
    while value <= most {
        let x = plot.x + plot.width * (value - least) / (most - least);
        svg.line([x, plot.y], [x, plot.bottom()], FAINT, 1.0);
        let middle = Text::new(12.0, SOFT).anchored(Anchor::Middle);
        svg.text(x, plot.bottom() + 18.0, &axis_label(value, step), middle);
        value += step;
    }
    let step = axis_step(100.0 * highest, 4.0);
    let mut percent = 0.0;
    while percent <= 100.0 * highest {
        let y = plot.bottom() - plot.height * percent / (100.0 * highest);
        svg.line([plot.x, y], [plot.right(), y], FAINT, 1.0);
        let right = Text::new(12.0, SOFT).anchored(Anchor::End);
        let label = format!("{} %", axis_label(percent, step));
        svg.text(plot.x - 8.0, y + 4.0, &label, right);
        percent += step;
    }
    let note = "ms; the last bin holds all that is longer";
    let right = Text::new(12.0, SOFT).anchored(Anchor::End);
    svg.text(plot.right(), plot.bottom() + 40.0, note, right);
}
