//! A report as text.

use crate::report::{ModeReport, Report, Times};
use crate::sample::Mode;

/// What a number without enough frames behind it is shown as.
const UNKNOWN: &str = "–";

impl Report {
    /// Everything that a reader needs, for a terminal.
    pub fn to_table(&self) -> String {
        let subject = &self.subject;
        let mut text = format!(
            "{} {} · {} · {} · {} threads{} · {}\n{}\nframes: {}\nmachine: {}\n",
            subject.package,
            subject.package_version,
            subject.precision,
            subject.provider,
            subject.threads,
            if subject.has_overlap {
                " and one beside"
            } else {
                ""
            },
            subject.build,
            subject.cameras,
            subject.frames,
            self.machine.summary(),
        );
        text += &format!(
            "bevrt {}, ONNX Runtime {}, network SHA-256 {}…\n",
            self.versions.bevrt,
            self.versions.onnxruntime,
            subject.sha256.get(..12).unwrap_or(&subject.sha256),
        );
        text += &format!(
            "clocks {}, governor {}, load average {:.2} at the start; meanwhile others used {:.1} %, stolen {:.1} %\n",
            clocks(&self.machine.clocks_mhz),
            or_unknown(&self.machine.governor),
            self.machine.load_average[0],
            100.0 * self.interference.others,
            100.0 * self.interference.stolen,
        );
        for doubt in &self.doubts {
            text += &format!("WARNING: {doubt}\n");
        }
        text += &self.start_up_text();
        for mode in [Mode::Paced, Mode::FlatOut] {
            if let Some(of_mode) = self.modes.get(mode.name()) {
                let deadline_ms = self.settings.deadline_ms;
                text += &format!("\n{}", mode_table(mode.name(), of_mode, deadline_ms));
            }
        }
        text + "\n" + &self.closing_text()
    }

    fn start_up_text(&self) -> String {
        let start_up = &self.start_up;
        format!(
            "\nstart-up: {:.0} ms to open, first frame {:.1} ms (from its last image {:.1}), {:.0} ms in all; {} frames of warm-up left out\n",
            start_up.open_ms,
            start_up.first_total_ms,
            start_up.first_from_last_image_ms,
            start_up.until_first_frame_ms,
            self.settings.warm_up_frames,
        )
    }

    fn closing_text(&self) -> String {
        let mut text = String::new();
        if let Some(ratio) = &self.step_per_bare {
            text += &format!(
                "step / bare run of the network, in turn: {:.4} ({:.4} to {:.4} over blocks)\n",
                ratio.median, ratio.range[0], ratio.range[1]
            );
        }
        if let Some(allocations) = &self.allocations {
            let bare = allocations
                .bare_run
                .map_or_else(|| UNKNOWN.into(), |bare| format!("{bare:.1}"));
            text += &format!(
                "heap allocations a frame: {:.1}, of them in the engine's run {bare}\n",
                allocations.whole
            );
        }
        let memory = &self.memory;
        text += &format!(
            "memory, MiB: {:.0} steady, {:.0} after warm-up, {:.0} peak{}; of it {:.0} frames of this benchmark, {:.0} resident before opening\n",
            memory.steady_mib,
            memory.warm_mib,
            memory.peak_mib,
            if memory.is_peak_of_pipeline {
                ""
            } else {
                " (drawing the frames included)"
            },
            memory.frames_mib,
            memory.before_mib,
        );
        text
    }
}

fn mode_table(name: &str, mode: &ModeReport, deadline_ms: f64) -> String {
    let mut text = format!(
        "{:<18}{:>9}{:>9}{:>9}{:>9}{:>9}\n",
        format!("{name}, ms"),
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max"
    );
    for times in &mode.times {
        text += &row(times);
    }
    text += &format!(
        "{} frames, {} missed the deadline of {deadline_ms:.0} ms ({} sets dropped, {} without a frame, {} images refused)\n",
        mode.frames,
        mode.deadline_misses,
        mode.dropped_sets,
        mode.missing_frames,
        mode.refused_images,
    );
    text + &format!(
        "processor time a frame: {:.1} ms user, {:.1} ms system\n",
        mode.cpu_user_ms, mode.cpu_system_ms
    )
}

fn row(times: &Times) -> String {
    let percentiles = [times.p90_ms, times.p99_ms, times.p99_9_ms].map(cell);
    format!(
        "{:<18}{}{}{}\n",
        times.name,
        cell(Some(times.p50_ms)),
        percentiles.concat(),
        cell(Some(times.max_ms))
    )
}

/// No more digits than the histogram is exact to.
fn cell(value: Option<f64>) -> String {
    match value {
        None => format!("{UNKNOWN:>9}"),
        Some(ms) if ms >= 100.0 => format!("{ms:>9.0}"),
        Some(ms) if ms >= 10.0 => format!("{ms:>9.1}"),
        Some(ms) if ms >= 1.0 => format!("{ms:>9.2}"),
        Some(ms) => format!("{ms:>9.3}"),
    }
}

fn clocks(mhz: &[f64]) -> String {
    let lowest = mhz.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = mhz.iter().copied().fold(0.0, f64::max);
    if mhz.is_empty() {
        UNKNOWN.into()
    } else {
        format!("{lowest:.0} to {highest:.0} MHz")
    }
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { UNKNOWN } else { text }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::example;

    #[test]
    fn unsupported_percentiles_are_dashes_and_doubts_are_warnings() {
        let mut report = example();
        report.doubts.push("the machine is not quiet".into());
        let text = report.to_table();
        let row = text
            .lines()
            .find(|line| line.starts_with("response"))
            .expect("paced frames have a response");
        assert_eq!(row.matches('–').count(), 1, "{row}");
        assert!(text.contains("WARNING: the machine is not quiet"));
        for part in [
            "p99.9",
            "step / bare run",
            "heap allocations",
            "MiB",
            "start-up",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
