//! Scores of objects by distance and visibility, and of tracks by class, as plain text tables.

use std::fmt::Write;

use crate::metrics::{DISTANCE_BANDS_M, Scores, Task, TrackClassScores, VISIBILITY_LEVELS};

/// Tables of the tasks that were scored, with headings.
pub(super) fn breakdown(scores: &Scores) -> String {
    let mut table = String::new();
    if scores.tasks.contains(Task::Objects) {
        by_distance(&mut table, scores);
        by_visibility(&mut table, scores);
    }
    if scores.tasks.contains(Task::Tracks) {
        tracks_by_class(&mut table, scores);
    }
    table
}

fn by_distance(table: &mut String, scores: &Scores) {
    let bands = bands(&DISTANCE_BANDS_M, 50.0, "m");
    heading(table, "Objects by distance, AP", bands);
    let objects = &scores.objects;
    row(table, "mean over classes", objects.by_distance.map(score));
    for class in objects.classes.iter().filter(|c| c.truth_count > 0) {
        row(table, class.class.name(), class.by_distance.map(score));
    }
}

fn by_visibility(table: &mut String, scores: &Scores) {
    let levels = &scores.occlusion.by_visibility;
    let percent = VISIBILITY_LEVELS.map(|begin| 100.0 * begin);
    heading(
        table,
        "Objects by visible share",
        bands(&percent, 100.0, "%"),
    );
    row(
        table,
        "recall at 2 m",
        levels.map(|level| score(level.recall)),
    );
    row(
        table,
        "objects",
        levels.map(|level| level.count.to_string()),
    );
}

fn tracks_by_class(table: &mut String, scores: &Scores) {
    let columns = [
        "HOTA", "DetA", "AssA", "LocA", "IDF1", "MOTA", "switches", "AMOTA", "AMOTP, m",
    ];
    heading(table, "Tracks by class", columns);
    let tracks = &scores.tracks;
    let hota = tracks.hota.as_ref();
    row(
        table,
        "mean over classes",
        [
            score(hota.map(|s| s.hota)),
            score(hota.map(|s| s.detection)),
            score(hota.map(|s| s.association)),
            score(hota.map(|s| s.localisation)),
            score(tracks.identity_f1),
            score(tracks.accuracy),
            format!("{} in all", tracks.identity_switches),
            score(tracks.average_accuracy),
            score(tracks.average_distance_m),
        ],
    );
    for class in tracks.classes.iter().filter(|c| c.truth_boxes > 0) {
        row(table, class.class.name(), track_cells(class));
    }
}

fn track_cells(class: &TrackClassScores) -> [String; 9] {
    let counts = &class.counts;
    let hota = counts.hota.scores();
    [
        score(Some(hota.hota)),
        score(Some(hota.detection)),
        score(Some(hota.association)),
        score(Some(hota.localisation)),
        score(Some(counts.identity.f1())),
        score(Some(counts.clear.accuracy())),
        counts.clear.identity_switches.to_string(),
        score(Some(class.average_accuracy)),
        score(Some(class.average_distance_m)),
    ]
}

/// Names of bands from their beginnings.
fn bands<const N: usize>(begins: &[f64; N], last: f64, unit: &str) -> [String; N] {
    std::array::from_fn(|band| {
        let end = begins.get(band + 1).unwrap_or(&last);
        format!("{:.0}-{end:.0} {unit}", begins[band])
    })
}

fn score(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

fn heading<T: AsRef<str>>(table: &mut String, name: &str, columns: impl IntoIterator<Item = T>) {
    table.push('\n');
    row(table, name, columns);
}

fn row<T: AsRef<str>>(table: &mut String, name: &str, cells: impl IntoIterator<Item = T>) {
    let _ = write!(table, "{name:26}");
    for cell in cells {
        let _ = write!(table, "  {:>8}", cell.as_ref());
    }
    table.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ScoreTally, Tasks};

    #[test]
    fn every_table_has_its_columns_in_line() {
        let table = breakdown(&ScoreTally::default().scores());
        let tables: Vec<&str> = table.trim().split("\n\n").collect();
        assert_eq!(tables.len(), 3, "{table}");
        for table in tables {
            let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        }
        assert!(table.contains("30-50 m") && table.contains("80-100 %"));
    }

    #[test]
    fn tracks_without_labels_have_no_table() {
        let scores = ScoreTally::for_tasks(Tasks::of(&[Task::Objects])).scores();
        assert!(!breakdown(&scores).contains("Tracks"));
    }
}
