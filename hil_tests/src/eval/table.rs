//! Scores and times as plain text tables.

use std::fmt::Write;

use super::EvalReport;
use crate::metrics::Scores;
use crate::replay::LatencyReport;

/// Name and value of each line of a score table; `None` where there was nothing to score.
pub fn score_lines(scores: &Scores) -> Vec<(&'static str, Option<f64>)> {
    let f1 = &scores.lanes.f1;
    vec![
        ("objects  mAP", Some(scores.objects.mean_average_precision)),
        (
            "objects  mAP within 30 m",
            Some(scores.near_objects.mean_average_precision),
        ),
        (
            "objects  NDS without attributes",
            Some(scores.objects.detection_score),
        ),
        ("objects  mATE, m", Some(scores.objects.translation_error_m)),
        ("objects  mASE", Some(scores.objects.scale_error)),
        (
            "objects  mAOE, rad",
            Some(scores.objects.orientation_error_rad),
        ),
        (
            "objects  mAVE, m/s",
            Some(scores.objects.velocity_error_mps),
        ),
        ("objects  recall when hidden", scores.occlusion.recall),
        ("lanes    Chamfer mAP", Some(scores.lanes.chamfer_map)),
        ("lanes    F1 at 0.5 m", Some(f1.f1)),
        ("lanes    F1 at 1.5 m", Some(f1.f1_lenient)),
        ("arrows   AP at 1 m", scores.arrows.average_precision),
        (
            "crosswalks AP at 1 m",
            scores.crosswalks.average_precision[0],
        ),
        (
            "crosswalks AP at 1.5 m",
            scores.crosswalks.average_precision[1],
        ),
        (
            "crosswalks AP at IoU 0.5",
            scores.crosswalks.overlap_average_precision,
        ),
        (
            "stop lines AP at 1 m",
            scores.stop_lines.average_precision[0],
        ),
        (
            "stop lines AP at 1.5 m",
            scores.stop_lines.average_precision[1],
        ),
    ]
}

/// Scores side by side, one column for each entry.
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
        text.push_str("\nErrors within one predicted standard deviation\n");
        for (name, share, count) in &self.published.sigma {
            let _ = writeln!(text, "{name:32}  {:6.1} % of {count}", 100.0 * share);
        }
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
