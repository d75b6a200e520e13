//! A short soak with a leak in it. Alone in its process, as the one without.

#[path = "../drives/model.rs"]
mod model;
#[path = "../soak/run.rs"]
mod run;
#[path = "../faults/stand_in.rs"]
mod stand_in;

use bevrt_hil::faults::Pace;
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError};
use bevrt_hil::soak::SoakWatch;
use run::{STEPS, run};

/// Bytes that are not given back after each step.
const LEAK: usize = 20 << 10;

struct Leaking {
    watch: SoakWatch,
    kept: Vec<Vec<u8>>,
}

impl ReplayVisitor for Leaking {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.kept.push(vec![1; LEAK]);
        self.watch.frame(frame)
    }
}

#[test]
fn twenty_kib_a_step_are_noticed_within_400_steps() {
    let mut leaking = Leaking {
        watch: SoakWatch::new(STEPS, Pace::Lockstep, |_| {}),
        kept: Vec::with_capacity(STEPS as usize + 1),
    };
    run("soak_leak.mcap", &mut leaking);
    assert!(leaking.kept.iter().all(|bytes| bytes.len() == LEAK));
    let report = leaking.watch.report("with a leak");
    println!("{}", report.to_markdown());
    let failed: Vec<_> = report.failed().map(|row| row.what.as_str()).collect();
    assert!(
        failed.iter().any(|what| what.starts_with("memory")),
        "{failed:?}"
    );
    assert!(
        failed.iter().all(|what| what.starts_with("memory")),
        "{failed:?}"
    );
}
