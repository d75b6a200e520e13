use super::*;
use crate::sample::{Mode, Quantity};

fn times(name: &str, ms: f64) -> Times {
    Times {
        name: name.into(),
        p50_ms: ms,
        p90_ms: Some(1.05 * ms),
        p99_ms: Some(1.2 * ms),
        p99_9_ms: None,
        max_ms: 1.5 * ms,
        block_medians_ms: vec![ms; 6],
        block_p90s_ms: vec![1.05 * ms; 6],
        histogram: vec![(ms, 199), (1.5 * ms, 1)],
    }
}

fn mode(mode: Mode) -> ModeReport {
    let ms = [7.0, 1.7, 85.0, 1.2, 0.3, 0.02, 95.0, 90.0, 93.0, 84.0];
    let is_there = |quantity: &Quantity| match mode {
        Mode::Paced => *quantity != Quantity::BareRun,
        Mode::FlatOut => *quantity != Quantity::Response,
    };
    ModeReport {
        frames: 200,
        dropped_sets: 0,
        refused_images: 0,
        missing_frames: 0,
        deadline_misses: 1,
        cpu_user_ms: 160.0,
        cpu_system_ms: 2.0,
        times: Quantity::ALL
            .into_iter()
            .zip(ms)
            .filter(|(quantity, _)| is_there(quantity))
            .map(|(quantity, ms)| times(quantity.name(), ms))
            .collect(),
    }
}

/// A report with plausible figures and no noise.
pub(crate) fn example() -> Report {
    let modes = [Mode::Paced, Mode::FlatOut].map(|of| (of.name().to_owned(), mode(of)));
    Report {
        format: REPORT_FORMAT,
        subject: Subject {
            package: "tiny".into(),
            package_version: "0.4.0".into(),
            network: "tiny-fp32.onnx".into(),
            sha256: "0e82935c952c10be".into(),
            precision: "fp32".into(),
            provider: "cpu".into(),
            threads: 2,
            cameras: "6 × 1600×900 NV12".into(),
            frames: "simulation".into(),
            build: "release".into(),
            has_overlap: false,
        },
        versions: Versions {
            bevrt: "0.1.0".into(),
            onnxruntime: "1.31.1".into(),
        },
        machine: Machine {
            cpu: "Some CPU".into(),
            cores: 2,
            ..Machine::default()
        },
        doubts: Vec::new(),
        interference: Interference::default(),
        settings: Settings {
            seconds: 20.0,
            blocks: 6,
            period_ms: 100.0,
            deadline_ms: 100.0,
            warm_up_frames: 25,
        },
        start_up: StartUpReport {
            open_ms: 700.0,
            first_total_ms: 130.0,
            first_from_last_image_ms: 120.0,
            until_first_frame_ms: 830.0,
        },
        modes: modes.into_iter().collect(),
        step_per_bare: Some(Ratio {
            median: 1.06,
            range: [1.05, 1.08],
            block_medians: vec![1.05, 1.06, 1.08],
        }),
        allocations: Some(Allocations {
            whole: 4.0,
            bare_run: Some(4.0),
        }),
        memory: MemoryReport {
            frames_mib: 247.0,
            before_mib: 300.0,
            warm_mib: 420.0,
            steady_mib: 420.0,
            peak_mib: 425.0,
            is_peak_of_pipeline: true,
        },
    }
}

#[test]
fn a_report_survives_its_file() {
    let path = std::env::temp_dir().join(format!("bevrt-report-{}.json", std::process::id()));
    let report = example();
    report.write(&path).expect("the folder is writable");
    let found = Report::read(&path);
    std::fs::remove_file(&path).expect("it was written");
    assert_eq!(found.expect("it was just written"), report);
}

#[test]
fn another_format_is_refused_with_both_numbers() {
    let path = std::env::temp_dir().join(format!("bevrt-format-{}.json", std::process::id()));
    for (text, found) in [
        ("{\"format\": 7}", "format 7"),
        ("{}", "no `format`"),
        ("{\"format\": 2}", "missing field"),
        ("nonsense", "expected"),
    ] {
        std::fs::write(&path, text).expect("the folder is writable");
        let error = Report::read(&path).expect_err(text).to_string();
        assert!(
            error.contains(found) && error.contains("format 2"),
            "{error}"
        );
    }
    std::fs::remove_file(&path).expect("it was written");
}
