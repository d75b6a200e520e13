//! The verdict on a long run.

use std::fmt::Write;

use super::{IdWatch, ProcessUse, SoakWatch};
use crate::faults::Pace;

/// Share of the samples at the beginning in which buffers and caches fill.
const WARM_UP: f64 = 0.1;
/// What resident memory may grow between the first and the last fifth after that: so much, since the
/// allocator takes a few MiB at once when logs are opened anew …
const GROWTH_KIB: f64 = 16_384.0;
/// … or this share, whichever is more.
const GROWTH_SHARE: f64 = 0.01;
/// Medians of fifths may rise by this each time, or by this share: what is more in most of them is no
/// step of the allocator, but a leak, and the more steps a run has, the smaller one it shows.
const RISE_KIB: f64 = 512.0;
const RISE_SHARE: f64 = 0.001;
/// New ids of the second half over those of the first, at most, and some beside.
const MORE_IDS: f64 = 1.5;
const SOME_IDS: f64 = 64.0;

/// One thing that was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakRow {
    /// What it is.
    pub what: String,
    /// At the beginning, after warm-up.
    pub begin: String,
    /// At the end.
    pub end: String,
    /// What is allowed.
    pub allowed: String,
    /// Whether it is.
    pub is_right: bool,
}

/// What a long run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakReport {
    /// How it ran.
    pub name: String,
    /// Frames that came out.
    pub frames: u64,
    /// What was watched.
    pub rows: Vec<SoakRow>,
}

impl SoakReport {
    pub(super) fn new(name: String, watch: SoakWatch) -> Self {
        let warm = (WARM_UP * watch.samples.len() as f64).ceil() as usize;
        let samples = watch.samples.get(warm..).unwrap_or_default();
        let mut rows = process_rows(samples, watch.pace);
        let mut none = |what: &str, count: u64| {
            rows.push(SoakRow {
                what: what.to_owned(),
                begin: "0".to_owned(),
                end: count.to_string(),
                allowed: "0".to_owned(),
                is_right: count == 0,
            });
        };
        none("frames out of order", watch.disorder);
        none("frames that were full", watch.full);
        for ids in &watch.ids {
            none(
                &format!("{}: ids repeated or twice", ids.kind),
                ids.repeated + ids.unsound,
            );
        }
        // In real time a machine that is too slow loses images, which is no matter of a long run.
        let may_fault = watch.pace == Pace::RealTime;
        rows.push(SoakRow {
            what: "frames with a fault".to_owned(),
            begin: "0".to_owned(),
            end: watch.faults.to_string(),
            allowed: if may_fault { "any" } else { "0" }.to_owned(),
            is_right: may_fault || watch.faults == 0,
        });
        rows.extend(watch.ids.iter().map(given_row));
        Self {
            name,
            frames: watch.frames,
            rows,
        }
    }

    /// What is not as it should be.
    pub fn failed(&self) -> impl Iterator<Item = &SoakRow> {
        self.rows.iter().filter(|row| !row.is_right)
    }

    /// As a Markdown table.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "{}, {} frames\n\n| | beginning | end | allowed | |\n|---|---|---|---|---|\n",
            self.name, self.frames
        );
        for row in &self.rows {
            let verdict = if row.is_right { "ok" } else { "FAILED" };
            let SoakRow {
                what,
                begin,
                end,
                allowed,
                ..
            } = row;
            let _ = writeln!(text, "| {what} | {begin} | {end} | {allowed} | {verdict} |");
        }
        text
    }
}

fn process_rows(samples: &[ProcessUse], pace: Pace) -> Vec<SoakRow> {
    let fifth = samples.len() / 5;
    if fifth == 0 {
        return vec![SoakRow {
            what: "samples".to_owned(),
            begin: "0".to_owned(),
            end: samples.len().to_string(),
            allowed: "5 or more".to_owned(),
            is_right: false,
        }];
    }
    let memory = |samples: &[ProcessUse]| {
        let mut kib: Vec<u64> = samples.iter().map(|sample| sample.resident_kib).collect();
        kib.sort_unstable();
        kib[kib.len() / 2] as f64
    };
    let fifths: Vec<f64> = samples.chunks_exact(fifth).take(5).map(memory).collect();
    let (begin, end) = (fifths[0], fifths[4]);
    let mut rises: Vec<f64> = fifths.windows(2).map(|pair| pair[1] - pair[0]).collect();
    rises.sort_by(f64::total_cmp);
    let rise = RISE_KIB.max(RISE_SHARE * begin);
    let growth = GROWTH_KIB.max(GROWTH_SHARE * begin);
    let mut rows = vec![SoakRow {
        what: "memory, MiB".to_owned(),
        begin: format!("{:.1}", begin / 1024.0),
        end: format!("{:.1}", end / 1024.0),
        allowed: format!("{:.1} more", growth / 1024.0),
        is_right: end - begin <= growth,
    }];
    rows.push(SoakRow {
        what: "memory, MiB more in three of four fifths".to_owned(),
        begin: "0".to_owned(),
        end: format!("{:.2}", rises[1] / 1024.0),
        allowed: format!("{:.2}", rise / 1024.0),
        is_right: rises[1] <= rise,
    });
    // In real time a thread reads ahead: it may be between two rounds of the log, or done already.
    let slack = u64::from(pace == Pace::RealTime);
    let mut no_more = |what: &str, of: fn(&ProcessUse) -> u64| {
        let begin = of(&samples[0]);
        let most = samples.iter().map(of).max().unwrap_or(begin);
        rows.push(SoakRow {
            what: what.to_owned(),
            begin: begin.to_string(),
            end: format!("at most {most}"),
            allowed: (begin + slack).to_string(),
            is_right: most <= begin + slack,
        });
    };
    no_more("threads", |sample| sample.threads);
    no_more("file handles", |sample| sample.handles);
    rows
}

/// New ids of both halves: a drive again and again gives as many each time.
fn given_row(ids: &IdWatch) -> SoakRow {
    let [first, second] = ids.given;
    let most = MORE_IDS * first as f64 + SOME_IDS;
    SoakRow {
        what: format!(
            "{}: new ids by half (highest {}, at most {} in a frame)",
            ids.kind, ids.highest, ids.most
        ),
        begin: first.to_string(),
        end: second.to_string(),
        allowed: format!("{most:.0}"),
        is_right: second as f64 <= most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(samples: impl Iterator<Item = ProcessUse>) -> SoakWatch {
        let mut watch = SoakWatch::new(100, Pace::Lockstep, |_| {});
        watch.samples = samples.collect();
        watch
    }

    fn sample(index: u64, leak_kib: u64, leaked_handles: u64) -> ProcessUse {
        ProcessUse {
            resident_kib: 200_000 + leak_kib * index,
            threads: 3,
            handles: 10 + leaked_handles * index,
        }
    }

    const RISE: &str = "memory, MiB more in three of four fifths";

    fn failed(report: &SoakReport) -> Vec<&str> {
        report.failed().map(|row| row.what.as_str()).collect()
    }

    #[test]
    fn a_flat_run_passes_and_leaks_fail() {
        let report = watch((0..100).map(|i| sample(i, 1, 0))).report("flat");
        assert_eq!(failed(&report), [""; 0], "{}", report.to_markdown());
        let report = watch((0..100).map(|i| sample(i, 400, 1))).report("leaks");
        let expected = ["memory, MiB", RISE, "file handles"];
        assert_eq!(failed(&report), expected);
        assert!(report.to_markdown().contains("FAILED"));
    }

    #[test]
    fn steps_of_the_allocator_pass_and_a_small_leak_in_a_short_run_fails() {
        // 400 steps: every second one is a sample.
        let steps = |index: u64| [0, 4_000, 9_000][(index / 70) as usize];
        let stepping = (0..200).map(|index| ProcessUse {
            resident_kib: 200_000 + steps(index),
            ..sample(index, 0, 0)
        });
        assert_eq!(failed(&watch(stepping).report("steps")), [""; 0]);
        let leaking = watch((0..200).map(|i| sample(i, 40, 0))).report("20 KiB a step");
        assert_eq!(failed(&leaking), [RISE]);
    }

    #[test]
    fn faults_fail_a_run_in_lockstep_alone() {
        for (pace, expected) in [(Pace::Lockstep, 1), (Pace::RealTime, 0)] {
            let mut watch = watch((0..100).map(|i| sample(i, 0, 0)));
            (watch.pace, watch.faults) = (pace, 1);
            assert_eq!(watch.report("faults").failed().count(), expected);
        }
    }

    #[test]
    fn a_run_without_samples_proves_nothing() {
        let report = watch(std::iter::empty()).report("nothing");
        assert_eq!(failed(&report), ["samples"]);
    }

    #[test]
    fn repeated_ids_and_ever_more_ids_fail() {
        let mut watch = watch((0..100).map(|i| sample(i, 0, 0)));
        watch.ids[0].repeated = 1;
        watch.ids[1].given = [10, 500];
        watch.disorder = 2;
        let report = watch.report("ids");
        let failed = failed(&report);
        assert_eq!(failed[0], "frames out of order");
        assert_eq!(failed[1], "objects: ids repeated or twice");
        assert!(failed[2].starts_with("lanes: new ids"), "{failed:?}");
    }
}
