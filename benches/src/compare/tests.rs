use super::*;
use crate::report::tests::example;

/// Medians of eight blocks around `ms` with noise of about `noise` of it.
fn blocks(ms: f64, noise: f64) -> Vec<f64> {
    [-1.2, 0.4, -0.3, 1.1, 0.0, -0.7, 0.8, 0.2]
        .map(|step| ms * (1.0 + noise * step))
        .to_vec()
}

fn set(report: &mut Report, mode: &str, name: &str, blocks: Vec<f64>) {
    let times = report.modes.get_mut(mode).expect("the mode is there");
    let times = times.times.iter_mut().find(|times| times.name == name);
    times.expect("the time is there").block_medians_ms = blocks;
}

/// The example with blocks of realistic noise in every time.
fn noisy(noise: f64) -> Report {
    let mut report = example();
    for mode in report.modes.values_mut() {
        for times in &mut mode.times {
            times.block_medians_ms = blocks(times.p50_ms, noise);
        }
    }
    report
}

#[test]
fn a_report_compared_with_itself_passes() {
    let report = noisy(0.01);
    let comparison = compare(&report, &report).expect("the same subject");
    assert!(comparison.rows.len() > 10, "{}", comparison.rows.len());
    assert_eq!(comparison.failure(), None);
    assert!(comparison.notes.is_empty(), "{:?}", comparison.notes);
}

#[test]
fn one_slower_stage_fails_and_is_named_with_its_numbers() {
    let old = noisy(0.005);
    let mut new = old.clone();
    let align_ms = old.times("flat_out", "align").expect("it is there").p50_ms;
    set(&mut new, "flat_out", "align", blocks(1.3 * align_ms, 0.005));
    let comparison = compare(&old, &new).expect("the same subject");
    let regressed: Vec<&str> = comparison.regressions().map(|r| r.name.as_str()).collect();
    assert_eq!(regressed, ["flat_out align"]);
    let failure = comparison.failure().expect("it fails");
    for part in [
        "flat_out align",
        &format!("old {align_ms:.3}"),
        &format!("new {:.3}", 1.3 * align_ms),
        "noise",
    ] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(comparison.to_table().contains("REGRESSION"));
}

#[test]
fn the_same_difference_drowns_in_noise() {
    let slower = |noise: f64| {
        let old = noisy(noise);
        let mut new = old.clone();
        let network_ms = old.times("paced", "network").expect("it is there").p50_ms;
        set(
            &mut new,
            "paced",
            "network",
            blocks(1.05 * network_ms, noise),
        );
        let comparison = compare(&old, &new).expect("the same subject");
        comparison.regressions().count()
    };
    assert_eq!(slower(0.003), 1);
    assert_eq!(slower(0.05), 0);
}

#[test]
fn below_two_per_cent_nothing_regresses_even_without_noise() {
    let row = |old: f64, new: f64| Row::new("network".into(), &[old; 6], &[new; 6], old);
    assert_eq!(row(80.0, 81.5).change(), Change::Same);
    assert_eq!(row(80.0, 81.7).change(), Change::Regressed);
    assert_eq!(row(80.0, 78.3).change(), Change::Faster);
}

#[test]
fn a_time_that_no_frame_feels_does_not_decide() {
    let publish = |new_ms: f64| Row::new("publish".into(), &[0.010; 6], &[new_ms; 6], 90.0);
    assert_eq!(publish(0.050).change(), Change::Same);
    assert_eq!(publish(0.110).change(), Change::Regressed);
}

#[test]
fn one_disturbed_block_does_not_widen_the_noise() {
    let mut disturbed = blocks(80.0, 0.003);
    disturbed[3] = 400.0;
    let (median, spread) = median_and_spread(&disturbed);
    assert!(
        (median - 80.0).abs() < 0.5 && spread < 0.5,
        "{median} {spread}"
    );
}

#[test]
fn another_subject_or_machine_is_refused_by_name() {
    let old = example();
    type Change = fn(&mut Report);
    let differing: [(&str, Change); 6] = [
        ("threads", |report| report.subject.threads += 1),
        ("provider", |report| {
            report.subject.provider = "cuda:0".into()
        }),
        ("precision", |report| {
            report.subject.precision = "int8-cpu".into()
        }),
        ("SHA-256", |report| report.subject.sha256 = "00".into()),
        ("processor", |report| {
            report.machine.cpu = "Another CPU".into()
        }),
        ("frames", |report| report.subject.frames = "a log".into()),
    ];
    for (field, change) in differing {
        let mut new = old.clone();
        change(&mut new);
        let refusal = compare(&old, &new).expect_err(field);
        assert_eq!(refusal.differences.len(), 1, "{field}");
        assert!(refusal.to_string().contains(field), "{refusal}");
    }
}

#[test]
fn versions_and_doubts_are_noted() {
    let old = example();
    let mut new = old.clone();
    new.versions.onnxruntime = "1.99.0".into();
    new.doubts.push("the machine is not quiet".into());
    let comparison = compare(&old, &new).expect("the same subject");
    let notes = comparison.notes.join("\n");
    assert!(
        notes.contains("1.99.0") && notes.contains("new report: the machine"),
        "{notes}"
    );
}

#[test]
fn a_longer_tail_alone_fails() {
    let old = noisy(0.003);
    let mut new = old.clone();
    let paced = new.modes.get_mut("paced").expect("the mode is there");
    let network = paced.times.iter_mut().find(|times| times.name == "network");
    let network = network.expect("the time is there");
    network.block_p90s_ms = blocks(1.3 * network.p50_ms, 0.003);
    let comparison = compare(&old, &new).expect("the same subject");
    let regressed: Vec<&str> = comparison.regressions().map(|r| r.name.as_str()).collect();
    assert_eq!(regressed, ["paced network p90"]);
}

#[test]
fn what_a_run_has_once_fails_by_name() {
    type Change = fn(&mut Report);
    let worse: [(&str, Change); 4] = [
        ("start-up", |report| report.start_up.open_ms += 400.0),
        ("peak of memory, MiB", |report| {
            report.memory.peak_mib *= 1.1;
        }),
        ("allocations a frame", |report| {
            let allocations = report.allocations.as_mut().expect("they were counted");
            allocations.whole += 1.0;
        }),
        ("paced misses, %", |report| {
            let paced = report.modes.get_mut("paced").expect("the mode is there");
            paced.deadline_misses += 12;
        }),
    ];
    let old = example();
    for (name, change) in worse {
        let mut new = old.clone();
        change(&mut new);
        let comparison = compare(&old, &new).expect("the same subject");
        let regressed: Vec<&str> = comparison.regressions().map(|r| r.name.as_str()).collect();
        assert_eq!(regressed, [name]);
        let back = compare(&new, &old).expect("the same subject");
        assert_eq!(back.failure(), None, "{name}");
    }
    // One miss more among 200 frames is chance.
    let mut new = old.clone();
    let paced = new.modes.get_mut("paced").expect("the mode is there");
    paced.deadline_misses += 1;
    assert_eq!(
        compare(&old, &new).expect("the same subject").failure(),
        None
    );
}

#[test]
fn a_time_that_only_one_report_has_is_refused() {
    let old = example();
    let mut new = old.clone();
    let paced = new.modes.get_mut("paced").expect("the mode is there");
    paced.times.retain(|times| times.name != "align");
    let refusal = compare(&old, &new).expect_err("a time is missing");
    assert!(refusal.to_string().contains("times"), "{refusal}");
}
