//! Takes the frames of the example `publish` and prints how old they were: `subscribe [COUNT]`.
//!
//! An age runs from the publisher's clock reading, before it protects the frame, to the end of the
//! check here. It ends after COUNT frames, after two seconds of silence, or when no frame comes
//! within ten seconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bevrt_transport::{FrameSubscriber, MessageState, ReceiverSpec};

const SERVICE: &str = "bevrt/example/frames";
const DATA_ID: u32 = 0x0B5E_0001;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1000), |text| text.parse())?;
    let mut subscriber = FrameSubscriber::open(SERVICE, DATA_ID, ReceiverSpec::default())?;
    let mut ages_ns = Vec::with_capacity(count);
    let mut others = 0;
    while ages_ns.len() < count && wait(&subscriber, ages_ns.is_empty())? {
        let received = subscriber.take()?;
        let now_ns = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        match (received.message, received.frame) {
            (MessageState::Ok | MessageState::OkSomeLost, Some(frame)) => {
                ages_ns.push(now_ns - frame.now_ns);
            }
            _ => others += 1,
        }
    }
    ages_ns.sort_unstable();
    println!(
        "{} frames, {others} out of order or in error, channel {:?}",
        ages_ns.len(),
        subscriber.channel_state()
    );
    if let Some(longest) = ages_ns.last() {
        let microseconds = |age_ns: i64| age_ns as f64 / 1000.0;
        let at = |percent: usize| microseconds(ages_ns[(ages_ns.len() - 1) * percent / 100]);
        println!(
            "age when checked: p50 {:.1} us, p99 {:.1} us, max {:.1} us",
            at(50),
            at(99),
            microseconds(*longest)
        );
    }
    Ok(())
}

/// Whether a message waits before patience ends.
fn wait(subscriber: &FrameSubscriber, is_first: bool) -> Result<bool, Box<dyn std::error::Error>> {
    let patience = Duration::from_secs(if is_first { 10 } else { 2 });
    let deadline = Instant::now() + patience;
    while !subscriber.has_message()? {
        if Instant::now() > deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    Ok(true)
}
