//! Two networks on the same clips: what the second loses or gains, and how sure that is.

use std::fmt::Write;

use bevrt_runtime::{HeadKind, Stage};
use bevrt_sim::Random;
use serde_json::{Value, json};

use super::Contest;
use crate::metrics::{ScoreTally, Scores};

/// Share of the resamples inside of the interval.
const INSIDE: f64 = 0.95;

/// A score and the head that it belongs to.
struct Compared {
    name: &'static str,
    head: HeadKind,
    of: fn(&Scores) -> Option<f64>,
}

const COMPARED: [Compared; 10] = [
    Compared {
        name: "objects mAP",
        head: HeadKind::Objects,
        of: |s| Some(s.objects.mean_average_precision),
    },
    Compared {
        name: "objects mAP within 30 m",
        head: HeadKind::Objects,
        of: |s| Some(s.near_objects.mean_average_precision),
    },
    Compared {
        name: "objects NDS",
        head: HeadKind::Objects,
        of: |s| Some(s.objects.detection_score),
    },
    Compared {
        name: "tracks HOTA",
        head: HeadKind::Objects,
        of: |s| s.tracks.hota.map(|hota| hota.hota),
    },
    Compared {
        name: "tracks AMOTA",
        head: HeadKind::Objects,
        of: |s| s.tracks.average_accuracy,
    },
    Compared {
        name: "lanes F1",
        head: HeadKind::Lanes,
        of: |s| Some(s.lanes.f1.f1),
    },
    Compared {
        name: "lanes Chamfer mAP",
        head: HeadKind::Lanes,
        of: |s| Some(s.lanes.chamfer_map),
    },
    Compared {
        name: "arrows AP",
        head: HeadKind::Arrows,
        of: |s| s.arrows.average_precision,
    },
    Compared {
        name: "crosswalks AP",
        head: HeadKind::Crosswalks,
        of: |s| s.crosswalks.average_precision[0],
    },
    Compared {
        name: "stop lines AP",
        head: HeadKind::StopLines,
        of: |s| s.stop_lines.average_precision[0],
    },
];

/// One score of both networks.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonRow {
    /// The score's name.
    pub name: &'static str,
    /// That of the first network.
    pub first: f64,
    /// That of the second one.
    pub second: f64,
    /// Where second minus first lies in 95 % of the resamples.
    pub interval: [f64; 2],
}

/// All scores of both networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The rows.
    pub rows: Vec<ComparisonRow>,
    /// Clips.
    pub clips: usize,
    /// Resamples.
    pub resamples: usize,
    /// Median times of both networks, which took turns; one thread each.
    pub network_ms: Option<(f64, f64)>,
}

impl Contest {
    /// Compares the scores of `heads` between the first network and the one at `second`, by a
    /// paired bootstrap over clips: each resample draws as many clips as there are, with
    /// replacement, the same ones for both networks.
    ///
    /// `progress` is called after each resample.
    ///
    /// # Panics
    /// There is no network at `second`.
    pub fn compare(
        &self,
        second: usize,
        heads: &[HeadKind],
        resamples: usize,
        progress: &dyn Fn(),
    ) -> Comparison {
        let rows: Vec<&Compared> = COMPARED
            .iter()
            .filter(|compared| heads.contains(&compared.head))
            .collect();
        let scores_of = |network: usize, places: &[usize]| {
            let mut tally = ScoreTally::default();
            for &place in places {
                tally.merge(&self.clips[place].published[network]);
            }
            let scores = tally.scores();
            rows.iter()
                .map(|row| (row.of)(&scores).unwrap_or(0.0))
                .collect::<Vec<f64>>()
        };
        let all: Vec<usize> = (0..self.clips.len()).collect();
        let (of_first, of_second) = (scores_of(0, &all), scores_of(second, &all));
        let mut random = Random::new(1, 0);
        let mut differences = vec![Vec::with_capacity(resamples); rows.len()];
        for _ in 0..resamples {
            let places: Vec<usize> = all.iter().map(|_| random.below(all.len())).collect();
            let (a, b) = (scores_of(0, &places), scores_of(second, &places));
            for (row, (a, b)) in differences.iter_mut().zip(a.iter().zip(&b)) {
                row.push(b - a);
            }
            progress();
        }
        let rows = rows.iter().zip(&mut differences).enumerate();
        let rows = rows.map(|(index, (row, differences))| ComparisonRow {
            name: row.name,
            first: of_first[index],
            second: of_second[index],
            interval: interval(differences),
        });
        let network_ms = |network: usize| {
            let latency = self.latency.get(network);
            latency.and_then(|latency| Some(latency.stage(Stage::Network)?.p50_ms))
        };
        Comparison {
            rows: rows.collect(),
            clips: self.clips.len(),
            resamples,
            network_ms: network_ms(0).zip(network_ms(second)),
        }
    }
}

/// The middle of the values that holds [`INSIDE`] of them.
fn interval(values: &mut [f64]) -> [f64; 2] {
    if values.is_empty() {
        return [f64::NAN; 2];
    }
    values.sort_by(f64::total_cmp);
    let outside = 0.5 * (1.0 - INSIDE);
    let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
    [at(outside), at(1.0 - outside)]
}

impl Comparison {
    /// A Markdown table.
    pub fn to_markdown(&self, first: &str, second: &str) -> String {
        let mut table = format!(
            "{} clips, {} resamples\n\n| | {first} | {second} | difference | 95 % interval |\n",
            self.clips, self.resamples
        );
        table.push_str("|---|---|---|---|---|\n");
        for row in &self.rows {
            let [low, high] = row.interval;
            let _ = writeln!(
                table,
                "| {} | {:.3} | {:.3} | {:+.3} | {low:+.3} to {high:+.3} |",
                row.name,
                row.first,
                row.second,
                row.second - row.first
            );
        }
        if let Some((first, second)) = self.network_ms {
            let _ = writeln!(
                table,
                "| network, ms | {first:.1} | {second:.1} | {:.3} times | |",
                second / first
            );
        }
        table
    }

    /// The rows as JSON by name (`first`, `second`, `interval`), and the times of both networks.
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let entry =
                json!({ "first": row.first, "second": row.second, "interval": row.interval });
            (row.name.to_owned(), entry)
        });
        json!({
            "clips": self.clips,
            "resamples": self.resamples,
            "network_ms": self.network_ms,
            "rows": Value::Object(rows.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::ClipScores;
    use crate::prediction::{FramePrediction, PredictedLane};
    use crate::truth::{FrameTruth, LaneTruth};
    use bevrt_sim::Condition;

    /// Clips of one frame with one lane, which the first network finds and the second may not.
    fn contest(clips: u64, is_found: impl Fn(u64) -> bool) -> Contest {
        let clip = |seed| ClipScores {
            seed,
            condition: Condition::Day,
            published: vec![tally(true), tally(is_found(seed))],
        };
        Contest {
            clips: (0..clips).map(clip).collect(),
            latency: Vec::new(),
        }
    }

    fn tally(is_found: bool) -> ScoreTally {
        let points_m = vec![[-20.0, 2.0, 0.0], [20.0, 2.0, 0.0]];
        let truth = FrameTruth {
            lanes: vec![LaneTruth {
                id: 0,
                marking: 0,
                colour: 0,
                points_m: points_m.clone(),
                is_seen: vec![true; 2],
            }],
            ..FrameTruth::default()
        };
        let lane = PredictedLane {
            marking: 0,
            colour: 0,
            confidence: 0.9,
            sigma_lateral_m: 0.1,
            points_m,
        };
        let prediction = FramePrediction {
            lanes: if is_found { vec![lane] } else { Vec::new() },
            ..FramePrediction::default()
        };
        let mut tally = ScoreTally::default();
        tally.add(&truth, &prediction, 0.0);
        tally.end_drive();
        tally
    }

    #[test]
    fn a_network_against_itself_differs_by_nothing() {
        let contest = contest(12, |k| k % 3 > 0);
        let comparison = contest.compare(0, &[HeadKind::Lanes], 50, &|| {});
        assert_eq!(comparison.rows.len(), 2);
        for row in &comparison.rows {
            assert_eq!(row.first, 1.0);
            assert_eq!((row.first, row.interval), (row.second, [0.0; 2]));
        }
    }

    #[test]
    fn the_interval_holds_the_difference_and_shrinks_with_the_clips() {
        let width = |count: u64| {
            let contest = contest(count, |k| k % 4 > 0);
            let comparison = contest.compare(1, &[HeadKind::Lanes], 200, &|| {});
            let row = &comparison.rows[0];
            let difference = row.second - row.first;
            assert!((-0.2..-0.1).contains(&difference), "{difference}");
            let [low, high] = row.interval;
            assert!(low < difference && difference < high && high <= 0.0);
            high - low
        };
        assert!(width(100) < 0.7 * width(20));
    }

    #[test]
    fn the_table_has_a_row_for_each_score() {
        let heads = [HeadKind::Lanes, HeadKind::Arrows];
        let comparison = contest(4, |_| true).compare(1, &heads, 3, &|| {});
        let table = comparison.to_markdown("merged", "twin");
        assert_eq!(table.matches("\n| ").count(), 4, "{table}");
        assert!(table.contains("| lanes F1 | 1.000 | 1.000 | +0.000 | +0.000 to +0.000 |"));
    }
}
