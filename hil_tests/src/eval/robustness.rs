//! How the scores stand input that is worse than usual: the table of `models/ROBUSTNESS.md`.

use std::fmt::Write;

use bevrt_calibration::Rig;
use bevrt_sim::Condition;
use serde_json::{Value, json};

use super::report::headline;
use super::{ClipProgress, EvalError, EvalOptions, evaluate};
use crate::metrics::Scores;
use crate::source::Corruption;

/// Scores under one corruption, and those that they are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessRow {
    /// What is wrong with the input, in words.
    pub name: String,
    /// The scores.
    pub scores: Scores,
    /// The scores of the same frames and places on clean input.
    pub clean: Scores,
}

/// All rows; the first is clean input.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessReport {
    /// The rows.
    pub rows: Vec<RobustnessRow>,
}

/// The corruptions of the published table: each camera lost, images lost, light and weather,
/// exposure, blur, compression, colours, wrong calibration (both ways together, then each by itself),
/// and other rigs.
pub fn usual_corruptions(rig: &Rig) -> Vec<Corruption> {
    let cameras = (0..rig.cameras().len()).map(Corruption::CameraLost);
    let calibration = |centimetres: f64, degrees: f64| Corruption::Calibration {
        shift_m: 0.01 * centimetres,
        turn_rad: degrees.to_radians(),
    };
    cameras
        .chain([0.1, 0.3].map(Corruption::ImagesLost))
        .chain(
            [
                Condition::Dusk,
                Condition::Night,
                Condition::Rain,
                Condition::Fog,
            ]
            .map(Corruption::Condition),
        )
        .chain([2.0, 4.0].map(Corruption::Dark))
        .chain([1.5, 2.0].map(Corruption::Bright))
        .chain([0.01, 0.02].map(Corruption::MotionBlur))
        .chain([30, 10].map(Corruption::Jpeg))
        .chain([0.1, 0.2].map(Corruption::ColourShift))
        .chain([4, 3].map(Corruption::FewLevels))
        .chain(
            [(2.0, 0.25), (5.0, 0.5), (5.0, 1.0), (10.0, 2.0)]
                .map(|(cm, deg)| calibration(cm, deg)),
        )
        .chain([2.0, 5.0, 10.0, 20.0].map(|cm| calibration(cm, 0.0)))
        .chain([0.2, 0.5, 1.0, 2.0].map(|degrees| calibration(0.0, degrees)))
        .chain(
            [(0.05, 1.0_f64), (0.1, 2.0)].map(|(shift_m, degrees)| Corruption::OtherMounts {
                shift_m,
                turn_rad: degrees.to_radians(),
            }),
        )
        .chain([0.85, 1.15].map(Corruption::OtherLenses))
        .collect()
}

/// Evaluates the clips of `options` by day on clean input and under each corruption.
///
/// A lost camera is compared twice: everywhere, and where the other cameras see.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_robustness(
    options: &EvalOptions,
    corruptions: &[Corruption],
    progress: &(dyn Fn(&str, ClipProgress) + Sync),
) -> Result<RobustnessReport, EvalError> {
    let cameras: Vec<usize> = corruptions
        .iter()
        .filter_map(|corruption| match corruption {
            Corruption::CameraLost(camera) => Some(*camera),
            _ => None,
        })
        .collect();
    let run = |corruption: Corruption, without_cameras: &[usize]| {
        let mut options = options.clone();
        options.drive.condition = Some(Condition::Day);
        options.corruption = corruption;
        options.without_cameras = without_cameras.to_vec();
        let name = corruption.name(&options.rig);
        let report = evaluate(&options, &|clip| progress(&name, clip))?;
        Ok((name, report))
    };
    let (name, clean) = run(Corruption::None, &cameras)?;
    let mut rows = vec![RobustnessRow {
        name,
        scores: clean.published.clone(),
        clean: clean.published.clone(),
    }];
    let mut clean_elsewhere = clean.without_cameras.into_iter();
    for &corruption in corruptions {
        let lost: &[usize] = match &corruption {
            Corruption::CameraLost(camera) => std::slice::from_ref(camera),
            _ => &[],
        };
        let (name, report) = run(corruption, lost)?;
        let elsewhere = report.without_cameras.into_iter().zip(&mut clean_elsewhere);
        rows.extend(elsewhere.map(|(scores, clean)| RobustnessRow {
            name: format!("{name}, where others see"),
            scores,
            clean,
        }));
        rows.push(RobustnessRow {
            name,
            scores: report.published,
            clean: clean.published.clone(),
        });
    }
    Ok(RobustnessReport { rows })
}

type ScoreOf = fn(&Scores) -> Option<f64>;

/// What the table shows.
const COLUMNS: [(&str, ScoreOf); 6] = [
    ("objects mAP", |s| Some(s.objects.mean_average_precision)),
    ("objects NDS", |s| Some(s.objects.detection_score)),
    ("lanes F1", |s| Some(s.lanes.f1.f1)),
    ("arrows AP", |s| s.arrows.average_precision),
    ("crosswalks AP", |s| s.crosswalks.average_precision[0]),
    ("stop lines AP", |s| s.stop_lines.average_precision[0]),
];

impl RobustnessReport {
    /// A Markdown table: every score, and in brackets its share of the clean one in per cent.
    pub fn to_markdown(&self) -> String {
        let mut table = String::from("| input |");
        for (name, _) in COLUMNS {
            let _ = write!(table, " {name} |");
        }
        table.push_str("\n|---|");
        table.push_str(&"---|".repeat(COLUMNS.len()));
        table.push('\n');
        for row in &self.rows {
            let _ = write!(table, "| {} |", row.name);
            for (_, score_of) in COLUMNS {
                let _ = match (score_of(&row.scores), score_of(&row.clean)) {
                    (Some(score), Some(clean)) if clean > 0.0 => {
                        write!(table, " {score:.3} ({:.0}) |", 100.0 * score / clean)
                    }
                    (Some(score), _) => write!(table, " {score:.3} |"),
                    (None, _) => write!(table, " - |"),
                };
            }
            table.push('\n');
        }
        table
    }

    /// The rows as JSON: `name`, `scores`, `clean`.
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "name": row.name,
                "scores": headline(&row.scores),
                "clean": headline(&row.clean),
            })
        });
        Value::Array(rows.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreTally;

    #[test]
    fn no_two_rows_have_one_name() {
        let rig = bevrt_calibration::rigs::six_pinhole();
        let corruptions = usual_corruptions(&rig);
        let names: std::collections::BTreeSet<String> =
            corruptions.iter().map(|c| c.name(&rig)).collect();
        assert_eq!(names.len(), corruptions.len(), "{names:?}");
        for name in ["calibration off by 10 cm", "calibration off by 0.20 deg"] {
            assert!(names.contains(name), "{names:?}");
        }
    }

    #[test]
    fn the_table_gives_shares_of_the_clean_scores() {
        let mut scores = ScoreTally::default().scores();
        let mut clean = scores.clone();
        (scores.lanes.f1.f1, clean.lanes.f1.f1) = (0.3, 0.6);
        let name = "fog".to_owned();
        let report = RobustnessReport {
            rows: vec![RobustnessRow {
                name,
                scores,
                clean,
            }],
        };
        let table = report.to_markdown();
        assert!(table.contains("| fog |"), "{table}");
        assert!(table.contains(" 0.300 (50) |"), "{table}");
        let widths: Vec<usize> = table
            .lines()
            .map(|line| line.matches('|').count())
            .collect();
        assert_eq!(widths, [8; 3]);
    }
}
