use std::sync::mpsc;

use super::*;

/// What a started thread is to the kernel: its name, its cores, its policy.
fn seen(settings: &ThreadSettings) -> Result<(String, String, String), ThreadError> {
    let (tell, told) = mpsc::channel();
    let thread = settings.spawn("bevrt-test", move || {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("Linux tells");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux tells");
        let policy = stat
            .split_whitespace()
            .nth(40)
            .unwrap_or_default()
            .to_owned();
        tell.send((field("Name:"), field("Cpus_allowed_list:"), policy))
            .expect("somebody listens");
    })?;
    thread.join().expect("it ends");
    Ok(told.recv().expect("it told"))
}

fn own_core() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = line.and_then(|line| line.trim().split([',', '-']).next()?.parse().ok());
    first.expect("there is a core")
}

#[test]
fn a_thread_has_its_name_and_its_cores() {
    let core = own_core();
    let settings = ThreadSettings {
        cores: vec![core],
        ..ThreadSettings::default()
    };
    let (name, cores, _) = seen(&settings).expect("the core is ours");
    assert_eq!((name.as_str(), cores), ("bevrt-test", core.to_string()));
}

#[test]
fn cores_that_the_machine_lacks_are_refused_by_name() {
    let settings = ThreadSettings {
        cores: vec![1000],
        ..ThreadSettings::default()
    };
    let error = seen(&settings).expect_err("no such core").to_string();
    assert!(error.contains("thread bevrt-test"), "{error}");
    assert!(error.contains("[1000]"), "{error}");
}

#[test]
fn real_time_is_had_or_refused_with_what_it_needs() {
    let settings = ThreadSettings {
        priority: ThreadPriority::RealTime(1),
        ..ThreadSettings::default()
    };
    match seen(&settings) {
        // 1 is SCHED_FIFO.
        Ok((_, _, policy)) => assert_eq!(policy, "1"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("real-time priority 1"), "{text}");
            assert!(text.contains("RLIMIT_RTPRIO"), "{text}");
        }
    }
}

#[test]
fn priorities_and_cores_that_there_are_not_are_refused_before_a_thread_starts() {
    for priority in [0, 100] {
        let settings = ThreadSettings {
            priority: ThreadPriority::RealTime(priority),
            ..ThreadSettings::default()
        };
        assert!(matches!(
            settings.check(),
            Err(ThreadError::PriorityRange { found }) if found == priority
        ));
    }
    let settings = ThreadSettings {
        cores: vec![1024],
        ..ThreadSettings::default()
    };
    assert!(settings.check().is_err());
}

#[test]
fn lists_of_cores_are_read_as_taskset_takes_them() {
    let read = |text| ThreadSettings::cores_from_text(text).ok();
    assert_eq!(read(""), Some(vec![]));
    assert_eq!(read("3"), Some(vec![3]));
    assert_eq!(read("0,2-4, 7"), Some(vec![0, 2, 3, 4, 7]));
    for wrong in ["x", "1,", "4-2", "-1", "1024", "1-2-3", "0x1"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
