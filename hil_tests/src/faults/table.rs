//! The outcome of many scenarios, as text and as a page.

use serde_json::{Value, json};

use super::judge::{Row, Verdict};

const TEMPLATE: &str = include_str!("page.html");
const DATA_MARK: &str = "/*DATA*/";

/// Rows of scenarios.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultTable {
    rows: Vec<Row>,
    /// Package, network and machine, for the page.
    about: String,
}

impl FaultTable {
    /// A table of `rows`; `about` says what was run.
    pub fn new(rows: Vec<Row>, about: impl Into<String>) -> Self {
        Self {
            rows,
            about: about.into(),
        }
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Rows that are not as expected.
    pub fn failed(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_as_expected()).count()
    }

    /// Rows whose fault is not noticed, as the scenario says and explains.
    pub fn explained(&self) -> usize {
        let is_explained = |row: &&Row| matches!(row.verdict, Verdict::Explained(_));
        self.rows.iter().filter(is_explained).count()
    }

    /// How many rows are how, in words.
    fn summary(&self) -> String {
        let (all, failed, explained) = (self.rows.len(), self.failed(), self.explained());
        let noticed = all - failed - explained;
        format!(
            "{all} scenarios: {noticed} as expected, {explained} not noticed and explained, {failed} failed"
        )
    }

    /// As a Markdown table.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("| fault | expected | measured | |\n|---|---|---|---|\n");
        for row in &self.rows {
            let (verdict, why) = verdict(row);
            let verdict = if why.is_empty() {
                verdict.to_owned()
            } else {
                format!("{verdict}: {}", why.join("; "))
            };
            let name = match row.span_s {
                Some((from_s, to_s)) => format!("{} ({from_s} to {to_s} s)", row.name),
                None => row.name.clone(),
            };
            let cells = [&name, &row.expected, &row.measured, &verdict];
            for cell in cells {
                text.push_str("| ");
                text.push_str(&cell.replace('|', "\\|").replace('\n', " "));
                text.push(' ');
            }
            text.push_str("|\n");
        }
        text.push_str(&format!("\n{}\n", self.summary()));
        text
    }

    /// As JSON: `title`, `about` and `rows`, each with its frames as time, state and reasons.
    pub fn to_json(&self) -> Value {
        let rows: Vec<_> = self.rows.iter().map(row_json).collect();
        json!({ "title": self.summary(), "about": self.about, "rows": rows })
    }

    /// As one page without links to anything.
    pub fn to_html(&self) -> String {
        // Text in it must not end the script.
        let data = self.to_json().to_string().replace('<', "\\u003c");
        TEMPLATE.replace(DATA_MARK, &data)
    }
}

fn verdict(row: &Row) -> (&'static str, Vec<String>) {
    match &row.verdict {
        Verdict::Passed => ("as expected", Vec::new()),
        Verdict::Explained(why) => ("not noticed", vec![why.clone()]),
        Verdict::Failed(problems) => ("FAILED", problems.clone()),
    }
}

fn row_json(row: &Row) -> Value {
    let (verdict, why) = verdict(row);
    let frames: Vec<_> = row
        .frames
        .iter()
        .map(|frame| {
            let time_s = (1e3 * frame.time_s).round() / 1e3;
            let names: Vec<_> = frame.reasons.names().collect();
            json!([time_s, frame.state as u8, names.join(", ")])
        })
        .collect();
    json!({
        "name": row.name,
        "span": row.span_s.map(|(from_s, to_s)| [from_s, to_s]),
        "expected": row.expected,
        "measured": row.measured,
        "verdict": verdict,
        "why": why,
        "ok": row.is_as_expected(),
        "frames": frames,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, verdict: Verdict) -> Row {
        Row {
            name: name.to_owned(),
            span_s: Some((2.0, 3.0)),
            expected: "a </script> | b".to_owned(),
            measured: "c".to_owned(),
            verdict,
            frames: Vec::new(),
        }
    }

    #[test]
    fn failures_are_counted_and_told() {
        let rows = vec![
            row("one", Verdict::Passed),
            row("two", Verdict::Explained("no second source".into())),
            row("three", Verdict::Failed(vec!["expected x, found y".into()])),
        ];
        let table = FaultTable::new(rows, "");
        assert_eq!(table.failed(), 1);
        let text = table.to_markdown();
        assert!(text.contains("FAILED: expected x, found y") && text.contains("no second source"));
        let summary = "3 scenarios: 1 as expected, 1 not noticed and explained, 1 failed";
        assert!(text.contains(summary), "{text}");
        assert!(table.to_html().contains(summary));
        assert!(text.contains("\\|"), "{text}");
    }

    #[test]
    fn text_in_the_page_cannot_end_its_script() {
        let page = FaultTable::new(vec![row("one", Verdict::Passed)], "").to_html();
        assert!(!page.contains(DATA_MARK) && page.contains("\\u003c/script>"));
        assert_eq!(page.matches("</script>").count(), 1);
    }
}
