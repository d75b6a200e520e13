//! Whether a new report is slower than an old one, beyond the noise that both measured themselves.
//!
//! For each time of each mode the medians of the interleaved blocks are taken. Their median is the
//! value; 1.4826 times the median of their absolute deviations from it is the spread, which is the
//! standard deviation where the noise is normal and does not follow a single disturbed block. A time
//! has regressed when
//!
//! `new − old > max(3 · √(spread_old² + spread_new²), 2 % of old, 0.1 % of the old step)`
//!
//! The last term keeps times of a few microseconds, which no frame feels, from deciding. The tail is
//! judged in the same way by the blocks' 90th percentiles.
//!
//! What a run has once has no spread of its own: the start-up may take a tenth and 20 ms longer, the
//! peak of memory grow by 2 % and 1 MiB, a frame make no more allocations, and the share of missed
//! deadlines grow by 3 standard deviations of such counts and half a percent.

use std::fmt;

use crate::report::{ModeReport, Report, Times, quantile};

/// Spreads that a difference must exceed.
const SPREADS: f64 = 3.0;
/// Share of the old time that a difference must exceed.
const LEAST_SHARE: f64 = 0.02;
/// Share of the old step that a difference must exceed.
const LEAST_SHARE_OF_STEP: f64 = 0.001;
/// From the median of absolute deviations to a standard deviation of normal noise.
const TO_DEVIATION: f64 = 1.4826;
/// The time that is the step.
const STEP: &str = "from_last_image";

/// What two reports disagree about, so that their times cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomparable {
    /// The fields, each with what the old and the new report have.
    pub differences: Vec<(String, String, String)>,
}

impl fmt::Display for Incomparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these reports cannot be compared")?;
        for (field, old, new) in &self.differences {
            write!(
                f,
                "; {field}: `{old}` in the old one, `{new}` in the new one"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Incomparable {}

/// The blocks of one time in two reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Mode and name, such as `paced network`; the unit where it is not ms.
    pub name: String,
    /// Old value: the median of the blocks.
    pub old: f64,
    /// New value.
    pub new: f64,
    /// Combined spread of both.
    pub noise: f64,
    /// What the difference must exceed to count.
    pub limit: f64,
}

/// How a time has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Within the limit.
    Same,
    /// Shorter beyond the limit.
    Faster,
    /// Longer beyond the limit.
    Regressed,
}

impl Row {
    /// Compares the block medians of one time; `old_step_ms` is the old time of the whole step.
    pub fn new(name: String, old: &[f64], new: &[f64], old_step_ms: f64) -> Self {
        let (old, old_spread) = median_and_spread(old);
        let (new, new_spread) = median_and_spread(new);
        let noise = old_spread.hypot(new_spread);
        Self {
            name,
            old,
            new,
            noise,
            limit: (SPREADS * noise)
                .max(LEAST_SHARE * old)
                .max(LEAST_SHARE_OF_STEP * old_step_ms),
        }
    }

    /// A figure that a run has once, and what it may grow by.
    fn single(name: impl Into<String>, old: f64, new: f64, limit: f64) -> Self {
        Self {
            name: name.into(),
            old,
            new,
            noise: 0.0,
            limit,
        }
    }

    /// How the time has changed.
    pub fn change(&self) -> Change {
        let longer_ms = self.new - self.old;
        if longer_ms > self.limit {
            Change::Regressed
        } else if -longer_ms > self.limit {
            Change::Faster
        } else {
            Change::Same
        }
    }
}

/// Two reports side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// One row for each time that both have.
    pub rows: Vec<Row>,
    /// What differs and may: versions, kernel; doubts of either report.
    pub notes: Vec<String>,
}

impl Comparison {
    /// The times that have regressed.
    pub fn regressions(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(|row| row.change() == Change::Regressed)
    }

    /// A text table.
    pub fn to_table(&self) -> String {
        let mut text = format!(
            "{:<28}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
            "compared, ms or as named", "old", "new", "change", "noise", "limit"
        );
        for row in &self.rows {
            text += &format!(
                "{:<28}{:>10.3}{:>10.3}{:>+10.3}{:>10.3}{:>10.3}{}\n",
                row.name,
                row.old,
                row.new,
                row.new - row.old,
                row.noise,
                row.limit,
                match row.change() {
                    Change::Same => "",
                    Change::Faster => "  faster",
                    Change::Regressed => "  REGRESSION",
                }
            );
        }
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        text
    }

    /// What to fail with; `None` when nothing has regressed.
    pub fn failure(&self) -> Option<String> {
        let regressed: Vec<String> = self
            .regressions()
            .map(|row| {
                format!(
                    "{}: old {:.3}, new {:.3}, noise {:.3}, limit {:.3}",
                    row.name, row.old, row.new, row.noise, row.limit
                )
            })
            .collect();
        (!regressed.is_empty())
            .then(|| format!("slower beyond the noise: {}", regressed.join("; ")))
    }
}

/// Compares two reports of the same subject on the same machine.
///
/// # Errors
/// Machine, package, provider, precision, threads, frames or settings differ.
pub fn compare(old: &Report, new: &Report) -> Result<Comparison, Incomparable> {
    let differences = differences(old, new);
    if !differences.is_empty() {
        return Err(Incomparable { differences });
    }
    let mut rows = Vec::new();
    for (mode, of_mode) in &new.modes {
        let step_ms = old
            .times(mode, STEP)
            .map_or(0.0, |times| median_and_spread(&times.block_medians_ms).0);
        for times in &of_mode.times {
            let is_known = |old: &&Times| !old.block_medians_ms.is_empty();
            if let Some(old) = old.times(mode, &times.name).filter(is_known) {
                let name = format!("{mode} {}", times.name);
                let (blocks, new_blocks) = (&old.block_medians_ms, &times.block_medians_ms);
                rows.push(Row::new(name.clone(), blocks, new_blocks, step_ms));
                let (blocks, new_blocks) = (&old.block_p90s_ms, &times.block_p90s_ms);
                rows.push(Row::new(format!("{name} p90"), blocks, new_blocks, step_ms));
            }
        }
    }
    rows.extend(singles(old, new));
    Ok(Comparison {
        rows,
        notes: notes(old, new),
    })
}

/// What each run has once.
fn singles(old: &Report, new: &Report) -> Vec<Row> {
    let (old_ms, new_ms) = (old.start_up.open_ms, new.start_up.open_ms);
    let mut rows = vec![Row::single("start-up", old_ms, new_ms, 0.1 * old_ms + 20.0)];
    let (old_mib, new_mib) = (old.memory.peak_mib, new.memory.peak_mib);
    if old.memory.is_peak_of_pipeline == new.memory.is_peak_of_pipeline {
        let limit = 0.02 * old_mib + 1.0;
        rows.push(Row::single("peak of memory, MiB", old_mib, new_mib, limit));
    }
    if let (Some(old), Some(new)) = (&old.allocations, &new.allocations) {
        let name = "allocations a frame";
        rows.push(Row::single(name, old.whole, new.whole, 0.5));
    }
    for (mode, new) in &new.modes {
        let Some(old) = old.modes.get(mode) else {
            continue;
        };
        let sets = |report: &ModeReport| {
            (report.frames + report.dropped_sets + report.missing_frames).max(1) as f64
        };
        let percent = |report: &ModeReport| 100.0 * report.deadline_misses as f64 / sets(report);
        // Deviation of a share that is counted in both; one miss more than there were, at least.
        let share = (old.deadline_misses as f64 + 1.0) / (sets(old) + 1.0);
        let variance = share * (1.0 - share) * (1.0 / sets(old) + 1.0 / sets(new));
        rows.push(Row::single(
            format!("{mode} misses, %"),
            percent(old),
            percent(new),
            300.0 * variance.max(0.0).sqrt() + 0.5,
        ));
    }
    rows
}

/// Median and robust spread of block medians.
fn median_and_spread(blocks: &[f64]) -> (f64, f64) {
    let median = quantile(&mut blocks.to_vec(), 0.5);
    let mut deviations: Vec<f64> = blocks.iter().map(|block| (block - median).abs()).collect();
    (median, TO_DEVIATION * quantile(&mut deviations, 0.5))
}

/// Every field that must be equal, in words: what it is, old, new.
fn differences(old: &Report, new: &Report) -> Vec<(String, String, String)> {
    let fields = |report: &Report| {
        let (subject, machine) = (&report.subject, &report.machine);
        let modes: Vec<&str> = report.modes.keys().map(String::as_str).collect();
        let times = report.modes.iter().flat_map(|(mode, of_mode)| {
            let known = of_mode.times.iter();
            let known = known.filter(|times| !times.block_medians_ms.is_empty());
            known.map(move |times| format!("{mode} {}", times.name))
        });
        [
            ("board", machine.board.clone()),
            ("processor", machine.cpu.clone()),
            ("architecture", machine.architecture.clone()),
            ("features of the processor", machine.features.join(" ")),
            ("cores", machine.cores.to_string()),
            ("governor", machine.governor.clone()),
            ("provider", subject.provider.clone()),
            ("precision", subject.precision.clone()),
            ("threads", subject.threads.to_string()),
            ("package", subject.package.clone()),
            ("package version", subject.package_version.clone()),
            ("network", subject.network.clone()),
            ("SHA-256 of the network", subject.sha256.clone()),
            ("cameras", subject.cameras.clone()),
            ("frames", subject.frames.clone()),
            ("build", subject.build.clone()),
            ("period, ms", report.settings.period_ms.to_string()),
            ("modes", modes.join(" ")),
            ("times", times.collect::<Vec<_>>().join(", ")),
            ("overlap", subject.has_overlap.to_string()),
        ]
    };
    fields(old)
        .into_iter()
        .zip(fields(new))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| (field.to_owned(), old, new))
        .collect()
}

fn notes(old: &Report, new: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |what: &str, old: &str, new: &str| {
        if old != new {
            notes.push(format!("{what}: {old} → {new}"));
        }
    };
    note("bevrt", &old.versions.bevrt, &new.versions.bevrt);
    let onnxruntime = |report: &Report| report.versions.onnxruntime.clone();
    note("ONNX Runtime", &onnxruntime(old), &onnxruntime(new));
    note("kernel", &old.machine.kernel, &new.machine.kernel);
    for (which, report) in [("old", old), ("new", new)] {
        let doubts = report.doubts.iter();
        notes.extend(doubts.map(|doubt| format!("{which} report: {doubt}")));
    }
    notes
}

#[cfg(test)]
mod tests;
