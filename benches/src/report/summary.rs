//! From samples to a report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bevrt_runtime::{LatencyHistogram, OnnxRuntimeLibrary, Package, PackageError};
use bevrt_runtime::{NetworkRequest, Span};
use serde::{Deserialize, Serialize};

use super::{
    Allocations, MemoryReport, ModeReport, REPORT_FORMAT, Ratio, Report, Settings, StartUpReport,
    Times, Versions,
};
use crate::error::BenchError;
use crate::machine::Machine;
use crate::recording::Recording;
use crate::run::{BenchOptions, Measured, ModeTotals};
use crate::sample::{Mode, Quantity, Sample};
use bevrt_runtime::Stage;

/// Share of all cores' time in others' hands from which on figures are doubtful.
const MOST_INTERFERENCE: f64 = 0.05;

/// What was measured. Two reports are compared only when all of it is equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the model.
    pub package: String,
    /// Its version.
    pub package_version: String,
    /// File of the network.
    pub network: String,
    /// SHA-256 of the network, hexadecimal.
    pub sha256: String,
    /// Its number format.
    pub precision: String,
    /// The execution provider that ran it.
    pub provider: String,
    /// Threads within an operator.
    pub threads: usize,
    /// Number and sizes of the cameras.
    pub cameras: String,
    /// Where the frames come from.
    pub frames: String,
    /// How bevrt was built.
    pub build: String,
    /// Whether the network had a thread of its own.
    pub has_overlap: bool,
}

/// Puts together what was measured.
///
/// # Errors
/// The package cannot be read any more.
pub fn report(
    measured: &Measured,
    recording: &Recording,
    options: &BenchOptions,
    machine: Machine,
) -> Result<Report, BenchError> {
    let deadline = options.deadline.unwrap_or_else(|| recording.set_period());
    let mut doubts = machine.doubts();
    doubts.extend(doubts_of_run(measured));
    let mode_report = |(mode, totals): &(Mode, ModeTotals)| {
        let report = mode_report(*mode, totals, &measured.samples, deadline);
        (mode.name().to_owned(), report)
    };
    Ok(Report {
        format: REPORT_FORMAT,
        subject: subject(measured, recording, options)?,
        versions: versions(options),
        machine,
        doubts,
        interference: measured.interference,
        settings: Settings {
            seconds: options.seconds,
            blocks: options.blocks(),
            period_ms: milliseconds(recording.set_period()),
            deadline_ms: milliseconds(deadline),
            warm_up_frames: measured.start_up.warm_up_frames,
        },
        start_up: start_up(measured),
        modes: measured
            .totals
            .iter()
            .map(mode_report)
            .collect::<BTreeMap<_, _>>(),
        step_per_bare: step_per_bare(&measured.samples),
        allocations: options.allocations.map(|_| allocations(&measured.samples)),
        memory: memory(measured, recording),
    })
}

/// The value below which a share `fraction` of the values lies, exact; they are sorted.
pub fn quantile(values: &mut [f64], fraction: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (fraction * values.len() as f64).ceil() as usize;
    values
        .get(rank.clamp(1, values.len().max(1)) - 1)
        .copied()
        .unwrap_or(0.0)
}

fn milliseconds(span: Span) -> f64 {
    1e3 * span.seconds()
}

fn doubts_of_run(measured: &Measured) -> Vec<String> {
    let mut doubts = Vec::new();
    let seen = measured.interference;
    let percent = |share: f64| format!("{:.0} % of all processor time", 100.0 * share);
    if seen.others > MOST_INTERFERENCE {
        doubts.push(format!("other processes used {}", percent(seen.others)));
    }
    if seen.stolen > MOST_INTERFERENCE {
        doubts.push(format!(
            "other guests of the host used {}",
            percent(seen.stolen)
        ));
    }
    doubts
}

fn subject(
    measured: &Measured,
    recording: &Recording,
    options: &BenchOptions,
) -> Result<Subject, BenchError> {
    let engine = measured.pipeline.engine();
    let request = NetworkRequest {
        provider: engine.provider().kind(),
        precision: options.pipeline.precision,
    };
    let folder = &options.pipeline.package;
    let wrong = |error: PackageError| BenchError::content(folder, "the package", error);
    let package = Package::open(folder).map_err(wrong)?;
    let entry = package.choose(request).map_err(wrong)?;
    let mut sha256 = String::new();
    for byte in entry.sha256 {
        // Writing into a string does not fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(Subject {
        package: package.manifest().name().into(),
        package_version: package.manifest().version().into(),
        network: entry.file.display().to_string(),
        sha256,
        precision: entry.precision.to_string(),
        provider: engine.provider().to_string(),
        threads: options.pipeline.engine.intra_op_threads,
        cameras: cameras(recording),
        frames: recording.description().into(),
        build: if cfg!(debug_assertions) {
            "development".into()
        } else {
            "release".into()
        },
        has_overlap: options.has_overlap,
    })
}

fn cameras(recording: &Recording) -> String {
    let mut sizes: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for camera in recording.rig().cameras() {
        let lens = &camera.intrinsics;
        *sizes.entry((lens.width(), lens.height())).or_default() += 1;
    }
    let texts: Vec<String> = sizes
        .iter()
        .map(|((width, height), count)| format!("{count} × {width}×{height} NV12"))
        .collect();
    texts.join(" + ")
}

fn versions(options: &BenchOptions) -> Versions {
    let library = OnnxRuntimeLibrary::load(options.pipeline.engine.library.as_deref());
    Versions {
        bevrt: env!("CARGO_PKG_VERSION").into(),
        onnxruntime: library.map_or_else(
            |_| "unknown".into(),
            |library| {
                let file = library.path().canonicalize();
                let file = file.unwrap_or_else(|_| library.path().to_path_buf());
                version_in(&file.to_string_lossy())
                    .unwrap_or_else(|| library.build_info())
                    .to_owned()
            },
        ),
    }
}

/// The version that a shared library's file name ends in.
fn version_in(file: &str) -> Option<&str> {
    file.rsplit_once(".so.")
        .map(|(_, version)| version)
        .filter(|version| version.contains('.'))
}

fn start_up(measured: &Measured) -> StartUpReport {
    let first = &measured.start_up.first;
    let of_first = |stage| first.time_ns(Quantity::Stage(stage)).map_or(0.0, ms);
    let open_ms = ms(measured.start_up.open_ns);
    StartUpReport {
        open_ms,
        first_total_ms: of_first(Stage::Total),
        first_from_last_image_ms: of_first(Stage::FromLastImage),
        until_first_frame_ms: open_ms + of_first(Stage::Total),
    }
}

fn ms(nanoseconds: u64) -> f64 {
    1e-6 * nanoseconds as f64
}

fn mode_report(mode: Mode, totals: &ModeTotals, samples: &[Sample], deadline: Span) -> ModeReport {
    let of_mode: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.mode == mode)
        .collect();
    let deadline_ns = u64::try_from(deadline.nanoseconds()).unwrap_or(0);
    let late = of_mode
        .iter()
        .filter(|sample| sample.answer_ns() > deadline_ns);
    let cpu_ms = |seconds: f64| 1e3 * seconds / (totals.cpu_frames.max(1) as f64);
    ModeReport {
        frames: of_mode.len() as u64,
        dropped_sets: totals.dropped_sets,
        refused_images: totals.refused_images,
        missing_frames: totals.missing_frames,
        deadline_misses: late.count() as u64 + totals.dropped_sets + totals.missing_frames,
        cpu_user_ms: cpu_ms(totals.cpu.user_s),
        cpu_system_ms: cpu_ms(totals.cpu.system_s),
        times: Quantity::ALL
            .iter()
            .filter_map(|quantity| times(*quantity, &of_mode))
            .collect(),
    }
}

fn times(quantity: Quantity, samples: &[&Sample]) -> Option<Times> {
    let mut histogram = LatencyHistogram::new();
    for sample in samples {
        if let Some(time_ns) = sample.time_ns(quantity) {
            histogram.record(time_ns);
        }
    }
    if histogram.count() == 0 {
        return None;
    }
    Some(Times {
        name: quantity.name().into(),
        p50_ms: milliseconds(histogram.percentile(0.5)),
        p90_ms: supported(&histogram, 0.9),
        p99_ms: supported(&histogram, 0.99),
        p99_9_ms: supported(&histogram, 0.999),
        max_ms: milliseconds(histogram.max()),
        block_medians_ms: of_blocks(samples, 0.5, |sample| sample.time_ns(quantity).map(ms)),
        block_p90s_ms: of_blocks(samples, 0.9, |sample| sample.time_ns(quantity).map(ms)),
        histogram: histogram
            .buckets()
            .map(|(middle_ns, count)| (ms(middle_ns), count))
            .collect(),
    })
}

/// A percentile, if at least one frame lies beyond it.
fn supported(histogram: &LatencyHistogram, fraction: f64) -> Option<f64> {
    let beyond = histogram.count() as f64 * (1.0 - fraction);
    (beyond > 1.0 - 1e-9).then(|| milliseconds(histogram.percentile(fraction)))
}

/// The quantile of each block.
fn of_blocks(
    samples: &[&Sample],
    fraction: f64,
    value: impl Fn(&Sample) -> Option<f64>,
) -> Vec<f64> {
    let mut blocks: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        if let Some(value) = value(sample) {
            blocks.entry(sample.block).or_default().push(value);
        }
    }
    blocks
        .into_values()
        .map(|mut values| quantile(&mut values, fraction))
        .collect()
}

fn step_per_bare(samples: &[Sample]) -> Option<Ratio> {
    let ratio = |sample: &Sample| {
        let bare_ns = sample.time_ns(Quantity::BareRun).filter(|ns| *ns > 0)?;
        let step_ns = sample.time_ns(Quantity::Stage(Stage::FromLastImage))?;
        Some(step_ns as f64 / bare_ns as f64)
    };
    let mut all: Vec<f64> = samples.iter().filter_map(ratio).collect();
    if all.is_empty() {
        return None;
    }
    let blocks = of_blocks(&samples.iter().collect::<Vec<_>>(), 0.5, ratio);
    Some(Ratio {
        median: quantile(&mut all, 0.5),
        range: [
            blocks.iter().copied().fold(f64::INFINITY, f64::min),
            blocks.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ],
        block_medians: blocks,
    })
}

fn allocations(samples: &[Sample]) -> Allocations {
    let mean = |counts: Vec<u64>| {
        let sum: u64 = counts.iter().sum();
        (!counts.is_empty()).then(|| sum as f64 / counts.len() as f64)
    };
    let bare = samples.iter().filter(|sample| sample.bare.is_some());
    Allocations {
        whole: mean(samples.iter().map(|sample| sample.allocations).collect()).unwrap_or(0.0),
        bare_run: mean(bare.map(|sample| sample.bare_allocations).collect()),
    }
}

fn memory(measured: &Measured, recording: &Recording) -> MemoryReport {
    let readings = &measured.memory;
    MemoryReport {
        frames_mib: recording.bytes() as f64 / f64::from(1 << 20),
        before_mib: readings.before.resident_mib,
        warm_mib: readings.warm.resident_mib,
        steady_mib: readings.end.resident_mib,
        peak_mib: readings.end.peak_mib,
        is_peak_of_pipeline: readings.is_peak_of_pipeline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::sample;

    fn samples(mode: Mode, count: usize) -> Vec<Sample> {
        (0..count)
            .map(|k| sample(mode, k % 4, 80.0 + (k % 10) as f64))
            .collect()
    }

    #[test]
    fn percentiles_that_nothing_supports_are_left_out() {
        let supports = |count: usize| {
            let samples = samples(Mode::Paced, count);
            let report = mode_report(
                Mode::Paced,
                &ModeTotals::default(),
                &samples,
                Span::from_milliseconds(100),
            );
            let response = report
                .times
                .iter()
                .find(|times| times.name == "response")
                .cloned()
                .expect("paced frames have a response");
            [response.p90_ms, response.p99_ms, response.p99_9_ms].map(|p| p.is_some())
        };
        assert_eq!(supports(9), [false; 3]);
        assert_eq!(supports(10), [true, false, false]);
        assert_eq!(supports(100), [true, true, false]);
        assert_eq!(supports(999), [true, true, false]);
        assert_eq!(supports(1000), [true; 3]);
    }

    #[test]
    fn misses_count_late_frames_dropped_sets_and_missing_frames() {
        let samples = samples(Mode::Paced, 20);
        let totals = ModeTotals {
            dropped_sets: 3,
            missing_frames: 1,
            ..ModeTotals::default()
        };
        // Responses are 83 to 92 ms; 88 and more are late.
        let deadline = Span::from_milliseconds(88);
        let report = mode_report(Mode::Paced, &totals, &samples, deadline);
        assert_eq!(report.deadline_misses, 2 * 4 + 3 + 1);
    }

    #[test]
    fn ratio_is_taken_frame_by_frame() {
        let ratio = step_per_bare(&samples(Mode::FlatOut, 40)).expect("bare runs are there");
        // (2 + step) / (0.9 step) for steps of 80 to 89 ms.
        assert!((ratio.median - 1.1374).abs() < 1e-3, "{ratio:?}");
        assert_eq!(ratio.block_medians.len(), 4);
        assert!(ratio.range[0] <= ratio.median && ratio.median <= ratio.range[1]);
        assert_eq!(step_per_bare(&samples(Mode::Paced, 40)), None);
    }

    #[test]
    fn quantiles_are_exact() {
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 1.0), 3.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }

    #[test]
    fn a_librarys_version_stands_in_its_name() {
        assert_eq!(version_in("/a/libonnxruntime.so.1.31.1"), Some("1.31.1"));
        assert_eq!(version_in("/a/libonnxruntime.so.1"), None);
        assert_eq!(version_in("/a/libonnxruntime.so"), None);
    }
}
