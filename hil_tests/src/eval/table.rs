//! Scores and times as plain text tables.

use std::fmt::Write;

use super::EvalReport;
use super::breakdown::breakdown;
use crate::metrics::{Scores, Task};
use crate::replay::LatencyReport;

/// Name and value of each line of a score table, for the tasks that were scored; `None` where there
/// was nothing to score.
pub fn score_lines(scores: &Scores) -> Vec<(&'static str, Option<f64>)> {
    let tasks = scores.tasks;
    let mut lines = Vec::new();
    if tasks.contains(Task::Objects) {
        let objects = &scores.objects;
        let near = scores.near_objects.mean_average_precision;
        lines.extend([
            ("objects  mAP", Some(objects.mean_average_precision)),
            ("objects  mAP within 30 m", Some(near)),
            (
                "objects  NDS without attributes",
                Some(objects.detection_score),
            ),
            ("objects  mATE, m", Some(objects.translation_error_m)),
            ("objects  mASE", Some(objects.scale_error)),
            ("objects  mAOE, rad", Some(objects.orientation_error_rad)),
            ("objects  mAVE, m/s", Some(objects.velocity_error_mps)),
        ]);
    }
    if tasks.contains(Task::HiddenObjects) {
        lines.push(("objects  recall when hidden", scores.occlusion.recall));
    }
    if tasks.contains(Task::Tracks) {
        let tracks = &scores.tracks;
        lines.extend([
            ("tracks   HOTA", tracks.hota.map(|hota| hota.hota)),
            ("tracks   AMOTA", tracks.average_accuracy),
            ("tracks   AMOTP, m", tracks.average_distance_m),
            ("tracks   IDF1", tracks.identity_f1),
        ]);
    }
    if tasks.contains_lanes() {
        let f1 = &scores.lanes.f1;
        lines.extend([
            ("lanes    Chamfer mAP", Some(scores.lanes.chamfer_map)),
            ("lanes    F1 at 0.5 m", Some(f1.f1)),
            ("lanes    F1 at 1.5 m", Some(f1.f1_lenient)),
        ]);
    }
    if tasks.contains(Task::Arrows) {
        lines.push(("arrows   AP at 1 m", scores.arrows.average_precision));
    }
    if tasks.contains(Task::Crosswalks) {
        let [strict, lenient] = scores.crosswalks.average_precision;
        let overlap = scores.crosswalks.overlap_average_precision;
        lines.extend([
            ("crosswalks AP at 1 m", strict),
            ("crosswalks AP at 1.5 m", lenient),
            ("crosswalks AP at IoU 0.5", overlap),
        ]);
    }
    if tasks.contains(Task::StopLines) {
        let [strict, lenient] = scores.stop_lines.average_precision;
        lines.extend([
            ("stop lines AP at 1 m", strict),
            ("stop lines AP at 1.5 m", lenient),
        ]);
    }
    lines
}

/// Scores side by side, one column for each entry; all of the same tasks.
pub fn score_table(columns: &[(&str, &Scores)]) -> String {
    let widths: Vec<usize> = columns
        .iter()
        .map(|(name, _)| name.chars().count().max(7))
        .collect();
    let mut table = format!("{:32}", "");
    for ((name, _), width) in columns.iter().zip(&widths) {
        let _ = write!(table, "  {name:>width$}");
    }
    table.push('\n');
    let values: Vec<Vec<(&str, Option<f64>)>> = columns
        .iter()
        .map(|(_, scores)| score_lines(scores))
        .collect();
    let rows = values.first().map_or(0, Vec::len);
    for row in 0..rows {
        let _ = write!(table, "{:32}", values[0][row].0);
        for (column, width) in values.iter().zip(&widths) {
            match column[row].1 {
                Some(value) => {
                    let _ = write!(table, "  {value:width$.3}");
                }
                None => {
                    let _ = write!(table, "  {:>width$}", "-");
                }
            }
        }
        table.push('\n');
    }
    table
}

/// Shares of errors within one predicted standard deviation, with a heading.
pub(super) fn sigma_table(scores: &Scores) -> String {
    let mut table = String::from("\nErrors within one predicted standard deviation\n");
    for score in &scores.sigma {
        let _ = writeln!(
            table,
            "{:32}  {:6.1} % of {:<8} right if times {:.2}",
            score.name,
            100.0 * score.share,
            score.errors,
            score.factor
        );
    }
    table
}

/// Times by stage.
pub fn latency_table(latency: &LatencyReport) -> String {
    let mut table = format!(
        "{:18}{:>9}{:>9}{:>9}{:>9}\n",
        "stage, ms", "p50", "p99", "mean", "max"
    );
    for stage in &latency.stages {
        let _ = writeln!(
            table,
            "{:18}{:9.2}{:9.2}{:9.2}{:9.2}",
            stage.stage, stage.p50_ms, stage.p99_ms, stage.mean_ms, stage.max_ms
        );
    }
    table
}

impl EvalReport {
    /// All tables of the report.
    pub fn to_table(&self) -> String {
        let mut text = format!(
            "{} {} on world {}: {} clips from seed {}, {} scored frames\n\n",
            self.package_name,
            self.package_version,
            self.world_version,
            self.clips,
            self.seeds.start,
            self.published.frames
        );
        let mut columns = vec![("all", &self.published)];
        columns.extend(self.conditions.iter().map(|c| (c.condition, &c.scores)));
        text.push_str(&score_table(&columns));
        if !self.columns.is_empty() {
            text.push_str("\nWhat the queue is worth (heads alone, no tracking)\n");
            let columns: Vec<(&str, &Scores)> = self
                .columns
                .iter()
                .map(|column| (column.name, &column.scores))
                .collect();
            text.push_str(&score_table(&columns));
        }
        text.push_str(&breakdown(&self.published));
        text.push_str(&sigma_table(&self.published));
        text.push('\n');
        text.push_str(&latency_table(&self.latency));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreTally;

    #[test]
    fn columns_stand_side_by_side() {
        let scores = ScoreTally::default().scores();
        let table = score_table(&[("all", &scores), ("queue not aligned", &scores)]);
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        assert!(table.contains("recall when hidden"));
    }
}
