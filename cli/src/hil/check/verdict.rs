//! Whether drives are what they were.
//!
//! Where CPU features, ONNX Runtime and threads are the same, every byte of every frame must be; else,
//! and where the network is another one, no score may be lower by more than the tolerance. Times are
//! compared on the same machine, as `bevrt bench --compare` compares them.

use super::baseline::{Baseline, FrameSketch};
use bevrt_benches::{Change, Row};
use bevrt_runtime::Stage;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What may differ.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What a score may be lower.
    pub score: f64,
    /// Whether times are compared.
    pub compares_latency: bool,
}

/// A frame that is not what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct DifferingFrame {
    /// Number of the drive.
    pub drive: usize,
    /// Number of the frame in it.
    pub frame: usize,
    /// What differs, in words.
    pub text: String,
    /// Larger differs more.
    pub weight: f64,
}

/// The outcome.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Why the gate is shut; empty where it is open.
    pub problems: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// Frames that are not what they were.
    pub differing: Vec<DifferingFrame>,
    /// Each score before and now.
    pub scores: Vec<(String, Option<f64>, Option<f64>)>,
    /// Times before and now.
    pub times: Vec<Row>,
}

impl Verdict {
    /// For a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let value = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.4}"));
        if !self.scores.is_empty() {
            let _ = writeln!(text, "{:<28}{:>10}{:>10}", "scores", "before", "now");
        }
        for (name, before, now) in &self.scores {
            let _ = writeln!(text, "{name:<28}{:>10}{:>10}", value(*before), value(*now));
        }
        if !self.times.is_empty() {
            let _ = writeln!(
                text,
                "{:<28}{:>10}{:>10}{:>10}",
                "ms", "before", "now", "limit"
            );
        }
        for row in &self.times {
            let mark = match row.change() {
                Change::Same => "",
                Change::Faster => "  faster",
                Change::Regressed => "  SLOWER",
            };
            let (old, new, limit) = (row.old, row.new, row.limit);
            let _ = writeln!(
                text,
                "{:<28}{old:>10.3}{new:>10.3}{limit:>10.3}{mark}",
                row.name
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        let verdict = if self.problems.is_empty() {
            "as before"
        } else {
            "NOT as before"
        };
        let _ = writeln!(text, "{verdict}");
        text
    }
}

/// Compares.
pub fn judge(before: &Baseline, now: &Baseline, limits: Limits) -> Verdict {
    let mut verdict = Verdict::default();
    let settings = differences_of_settings(before, now);
    let frames = frames_that_differ(before, now, &mut verdict);
    let is_same_network = before.network_sha256 == now.network_sha256;
    if before.package != now.package || !is_same_network {
        let name = |baseline: &Baseline| {
            let hash: String = baseline.network_sha256.chars().take(12).collect();
            format!("{} ({hash})", baseline.package)
        };
        let (before, now) = (name(before), name(now));
        verdict
            .notes
            .push(format!("the package was {before} and is {now}"));
    }
    let all = now.frame_count();
    if !settings.is_empty() {
        let settings = settings.join("; ");
        verdict
            .notes
            .push(format!("bytes are not compared, scores are: {settings}"));
    } else if frames == 0 {
        verdict
            .notes
            .push(format!("all {all} frames are the same bytes"));
    } else if is_same_network {
        let first = verdict.differing.first().map_or(String::new(), |first| {
            let origin = &now.drives[first.drive].origin;
            format!(
                "; the first is frame {} of {origin}: {}",
                first.frame, first.text
            )
        });
        verdict.problems.push(format!(
            "expected the same bytes, found {frames} of {all} frames that differ{first}"
        ));
    } else {
        verdict.notes.push(format!(
            "{frames} of {all} frames differ, as they may with another network: scores decide"
        ));
    }
    let scores_decide = !(settings.is_empty() && is_same_network);
    if scores_decide && before.scores.is_empty() {
        verdict.problems.push(
            "expected scores to compare, since the setting or the network differs, found drives without ground truth".into(),
        );
    }
    judge_scores(before, now, limits.score, scores_decide, &mut verdict);
    if !limits.compares_latency {
        verdict
            .notes
            .push("latency is not compared, as was asked for".into());
    } else if settings.is_empty() && before.machine == now.machine {
        judge_times(before, now, &mut verdict);
    } else {
        let (before, now) = (&before.machine, &now.machine);
        verdict.notes.push(format!(
            "latency is not compared: before on {} with {} cores, now on {} with {}",
            before.cpu, before.cores, now.cpu, now.cores
        ));
    }
    verdict
}

fn differences_of_settings(before: &Baseline, now: &Baseline) -> Vec<String> {
    let fields = |baseline: &Baseline| {
        let setting = &baseline.setting;
        [
            ("architecture", setting.architecture.clone()),
            ("CPU features", setting.features.join(" ")),
            ("ONNX Runtime", setting.onnxruntime.clone()),
            ("provider", setting.provider.clone()),
            ("threads", setting.threads.to_string()),
            ("precision", setting.precision.clone()),
            ("simulated world", setting.world.clone()),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(now));
    pairs
        .filter(|((_, before), (_, now))| before != now)
        .map(|((name, before), (_, now))| format!("{name} `{before}` before, `{now}` now"))
        .collect()
}

/// Lists the frames that differ; how many they are.
fn frames_that_differ(before: &Baseline, now: &Baseline, verdict: &mut Verdict) -> usize {
    for (index, (old, new)) in before.drives.iter().zip(&now.drives).enumerate() {
        if old.frames.len() != new.frames.len() {
            verdict.problems.push(format!(
                "{}: expected {} frames, found {}",
                new.origin,
                old.frames.len(),
                new.frames.len()
            ));
        }
        let pairs = old.frames.iter().zip(&new.frames).enumerate();
        let differing = pairs.filter(|(_, (old, new))| old.hash != new.hash);
        verdict
            .differing
            .extend(differing.map(|(frame, (old, new))| {
                let (text, weight) = difference(old, new);
                DifferingFrame {
                    drive: index,
                    frame,
                    text,
                    weight,
                }
            }));
    }
    verdict.differing.len()
}

/// What differs between two frames, in words and as a number.
fn difference(old: &FrameSketch, new: &FrameSketch) -> (String, f64) {
    let list = |frame: &FrameSketch, kind: &str| -> Vec<Value> {
        frame.elements[kind].as_array().cloned().unwrap_or_default()
    };
    let mut parts = Vec::new();
    let mut weight = 0.0;
    for (kind, name) in [
        ("boxes", "objects"),
        ("lines", "lines"),
        ("arrows", "arrows"),
    ] {
        let (before, now) = (list(old, kind), list(new, kind));
        if before.len() != now.len() {
            parts.push(format!("{name} {} → {}", before.len(), now.len()));
            weight += 10.0 * before.len().abs_diff(now.len()) as f64;
        } else if before != now {
            parts.push(format!("{name} moved"));
        }
    }
    let places = |boxes: Vec<Value>| -> BTreeMap<u64, [f64; 2]> {
        let places = boxes.into_iter().filter_map(|item| {
            let place = [item["x"].as_f64()?, item["y"].as_f64()?];
            Some((item["id"].as_u64()?, place))
        });
        places.collect()
    };
    let before = places(list(old, "boxes"));
    let shift = places(list(new, "boxes"))
        .iter()
        .filter_map(|(id, [x, y])| Some((before.get(id)?, x, y)))
        .map(|([old_x, old_y], x, y)| (x - old_x).hypot(y - old_y))
        .fold(0.0, f64::max);
    if shift > 0.0 {
        parts.push(format!("the same object up to {shift:.2} m apart"));
        weight += shift;
    }
    if old.coverage != new.coverage {
        parts.push("coverage".to_owned());
    }
    if parts.is_empty() {
        parts.push("less than the sketch shows".to_owned());
    }
    (parts.join(", "), weight)
}

fn judge_scores(
    before: &Baseline,
    now: &Baseline,
    tolerance: f64,
    scores_decide: bool,
    verdict: &mut Verdict,
) {
    for (name, old) in &before.scores {
        let new = now.scores.get(name).copied();
        verdict.scores.push((name.clone(), Some(*old), new));
        let is_worse = new.is_none_or(|new| new < old - tolerance);
        if is_worse && scores_decide {
            let new = new.map_or("none".to_owned(), |new| format!("{new:.4}"));
            verdict.problems.push(format!(
                "{name}: expected {old:.4} less {tolerance} at most, found {new}"
            ));
        }
    }
}

fn judge_times(before: &Baseline, now: &Baseline, verdict: &mut Verdict) {
    let median = |blocks: &Vec<f64>| {
        let mut blocks = blocks.clone();
        blocks.sort_by(f64::total_cmp);
        blocks.get(blocks.len() / 2).copied()
    };
    let step = before.blocks_ms.get(Stage::Total.name());
    let step_ms = step.and_then(median).unwrap_or(0.0);
    for (stage, old) in &before.blocks_ms {
        let Some(new) = now.blocks_ms.get(stage) else {
            verdict
                .problems
                .push(format!("{stage}: expected its times, found none"));
            continue;
        };
        let row = Row::new(stage.clone(), old, new, step_ms);
        if row.change() == Change::Regressed {
            verdict.problems.push(format!(
                "{stage}: before {:.3} ms, now {:.3} ms, limit of the difference {:.3} ms",
                row.old, row.new, row.limit
            ));
        }
        verdict.times.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::super::baseline::{DriveSketch, MachineName, Origin, Setting};
    use super::*;
    use serde_json::json;

    const LIMITS: Limits = Limits {
        score: 0.02,
        compares_latency: true,
    };

    fn frame(hash: &str, x: f64) -> FrameSketch {
        FrameSketch {
            time_s: 0.0,
            hash: hash.to_owned(),
            elements: json!({"boxes": [{"id": 7, "x": x, "y": 0.0}], "lines": [], "arrows": []}),
            coverage: vec![2],
        }
    }

    fn baseline() -> Baseline {
        let setting = Setting {
            architecture: "x86_64".into(),
            features: vec!["avx2".into()],
            onnxruntime: "1".into(),
            provider: "CPU".into(),
            threads: 2,
            precision: "fp32".into(),
            world: "1".into(),
        };
        let machine = MachineName {
            cpu: "some".into(),
            cores: 2,
        };
        let mut baseline = Baseline::new("tiny 1".into(), "ab".into(), setting, machine);
        baseline.drives.push(DriveSketch {
            origin: Origin::Log {
                path: "a.mcap".into(),
            },
            frames: vec![frame("aa", 1.0), frame("bb", 2.0)],
        });
        baseline.scores.insert("lanes F1".into(), 0.7);
        let blocks = vec![10.0, 10.1, 9.9, 10.0];
        baseline.blocks_ms.insert("total".into(), blocks);
        baseline
    }

    #[test]
    fn the_same_bytes_pass() {
        let verdict = judge(&baseline(), &baseline(), LIMITS);
        assert_eq!(verdict.problems, Vec::<String>::new());
        assert!(
            verdict
                .to_text()
                .contains("all 2 frames are the same bytes")
        );
    }

    #[test]
    fn a_byte_that_differs_shuts_the_gate_and_its_frame_is_named() {
        let mut now = baseline();
        now.drives[0].frames[1] = frame("cc", 2.5);
        let verdict = judge(&baseline(), &now, LIMITS);
        assert_eq!(verdict.problems.len(), 1);
        let told = &verdict.problems[0];
        assert!(
            told.contains("1 of 2 frames") && told.contains("frame 1 of a.mcap"),
            "{told}"
        );
        assert!(told.contains("0.50 m apart"), "{told}");
        assert_eq!(
            (verdict.differing[0].drive, verdict.differing[0].frame),
            (0, 1)
        );
    }

    #[test]
    fn on_another_processor_scores_are_compared_instead_and_latency_is_not() {
        let mut now = baseline();
        now.setting.features.push("avx512f".into());
        now.drives[0].frames[1] = frame("cc", 2.5);
        now.scores.insert("lanes F1".into(), 0.685);
        now.blocks_ms.insert("total".into(), vec![99.0; 4]);
        let verdict = judge(&baseline(), &now, LIMITS);
        assert_eq!(verdict.problems, Vec::<String>::new());
        assert!(verdict.to_text().contains("CPU features"));
        now.scores.insert("lanes F1".into(), 0.67);
        let verdict = judge(&baseline(), &now, LIMITS);
        assert!(
            verdict.problems[0].contains("lanes F1"),
            "{:?}",
            verdict.problems
        );
        now.scores.clear();
        let mut before = baseline();
        before.scores.clear();
        assert_eq!(judge(&before, &now, LIMITS).problems.len(), 1);
    }

    #[test]
    fn with_another_network_on_the_same_machine_scores_decide_and_bytes_are_told() {
        let mut now = baseline();
        now.network_sha256 = "cd".into();
        now.drives[0].frames[1] = frame("cc", 2.5);
        now.scores.insert("lanes F1".into(), 0.685);
        let verdict = judge(&baseline(), &now, LIMITS);
        assert_eq!(verdict.problems, Vec::<String>::new());
        let text = verdict.to_text();
        assert!(text.contains("1 of 2 frames differ"), "{text}");
        assert!(text.contains("tiny 1 (ab) and is tiny 1 (cd)"), "{text}");
        assert_eq!(verdict.times.len(), 1, "times are compared, too");
        now.scores.insert("lanes F1".into(), 0.67);
        let verdict = judge(&baseline(), &now, LIMITS);
        assert!(
            verdict.problems[0].contains("lanes F1"),
            "{:?}",
            verdict.problems
        );
        assert_eq!(verdict.problems.len(), 1);
    }

    #[test]
    fn frames_that_are_missing_and_times_beyond_the_noise_shut_the_gate() {
        let mut now = baseline();
        now.drives[0].frames.pop();
        now.blocks_ms
            .insert("total".into(), vec![12.0, 12.1, 11.9, 12.0]);
        let verdict = judge(&baseline(), &now, LIMITS);
        let told = verdict.problems.join("\n");
        assert!(told.contains("expected 2 frames, found 1"), "{told}");
        assert!(told.contains("before 10.000 ms, now 12.000 ms"), "{told}");
        let silent = Limits {
            compares_latency: false,
            ..LIMITS
        };
        assert_eq!(judge(&baseline(), &now, silent).problems.len(), 1);
    }

    #[test]
    fn a_stage_without_times_shuts_the_gate() {
        let mut before = baseline();
        before.blocks_ms.insert("align".into(), vec![1.0; 4]);
        let mut now = before.clone();
        assert!(judge(&before, &now, LIMITS).problems.is_empty());
        now.blocks_ms.remove("align");
        let problems = judge(&before, &now, LIMITS).problems.join("; ");
        assert!(problems.contains("align"), "{problems}");
    }
}
