//! A short soak: a recorded drive again and again. Alone in its process, whose memory, threads and
//! handles are watched.

#[path = "../drives/model.rs"]
mod model;
mod run;
#[path = "../faults/stand_in.rs"]
mod stand_in;

use bevrt_hil::faults::Pace;
use bevrt_hil::soak::SoakWatch;
use run::{STEPS, run};

#[test]
fn a_drive_of_two_seconds_looped_for_400_steps_leaks_nothing_and_repeats_no_id() {
    let mut watch = SoakWatch::new(STEPS, Pace::Lockstep, |_| {});
    run("soak.mcap", &mut watch);
    let report = watch.report("in lockstep");
    println!("{}", report.to_markdown());
    assert_eq!(report.failed().count(), 0, "{}", report.to_markdown());
}
