//! The frames that differ, before and after, as a page.

use super::baseline::Baseline;
use super::verdict::{DifferingFrame, Verdict};
use crate::player::filled;
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../check.html");
/// Most frames that are shown: half of them the first ones, half of them those that differ most.
const SHOWN: usize = 24;

/// The page.
pub fn html(before: &Baseline, now: &Baseline, verdict: &Verdict) -> String {
    let frames = shown(&verdict.differing).into_iter().map(|differing| {
        let old = &before.drives[differing.drive].frames[differing.frame];
        let new = &now.drives[differing.drive].frames[differing.frame];
        let origin = now.drives[differing.drive].origin.to_string();
        json!({
            "id": format!("{}-{}", differing.drive, differing.frame),
            "title": format!("{origin}, frame {}, {:.2} s", differing.frame, new.time_s),
            "text": differing.text,
            "before": {"elements": old.elements, "coverage": old.coverage},
            "after": {"elements": new.elements, "coverage": new.coverage},
        })
    });
    let data = json!({
        "frames": frames.collect::<Vec<Value>>(),
        "differing": verdict.differing.len(),
        "all": now.frame_count(),
        "problems": verdict.problems,
        "notes": verdict.notes,
    });
    filled(TEMPLATE, &data)
}

/// The first ones and those that differ most, in order.
fn shown(differing: &[DifferingFrame]) -> Vec<&DifferingFrame> {
    let mut ranked: Vec<&DifferingFrame> = differing.iter().collect();
    ranked.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let first = differing.iter().take(SHOWN / 2);
    let mut shown: Vec<&DifferingFrame> = first.chain(ranked).collect();
    let mut kept = std::collections::BTreeSet::new();
    shown.retain(|frame| kept.insert((frame.drive, frame.frame)));
    shown.truncate(SHOWN);
    shown.sort_by_key(|frame| (frame.drive, frame.frame));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frames_and_the_ones_that_differ_most_are_shown_once() {
        let frames: Vec<_> = (0..100)
            .map(|frame| DifferingFrame {
                drive: 0,
                frame,
                text: String::new(),
                weight: frame as f64,
            })
            .collect();
        let shown: Vec<usize> = shown(&frames).iter().map(|frame| frame.frame).collect();
        let expected: Vec<usize> = (0..12).chain(88..100).collect();
        assert_eq!(shown, expected);
    }
}
