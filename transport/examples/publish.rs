//! Publishes empty frames with the wall clock in them: `publish [COUNT] [PERIOD_US]`.
//!
//! Start it beside the example `subscribe`, in either order; it ends after the last frame, or when
//! no subscriber comes within ten seconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bevrt_transport::FramePublisher;

const SERVICE: &str = "bevrt/example/frames";
const DATA_ID: u32 = 0x0B5E_0001;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let period = Duration::from_micros(arguments.next().map_or(Ok(2000), |text| text.parse())?);

    let mut publisher = FramePublisher::open(SERVICE, DATA_ID)?;
    let patience = Instant::now() + Duration::from_secs(10);
    while publisher.subscriber_count() == 0 {
        if Instant::now() > patience {
            return Err("no subscriber within 10 s".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut reached = 0;
    for sequence in 0..count {
        let mut loan = publisher.loan()?;
        let frame = loan.frame_mut()?;
        frame.sequence = sequence;
        frame.now_ns = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        reached += usize::from(loan.send()? > 0);
        std::thread::sleep(period);
    }
    println!("sent {count} frames, {reached} of them to a subscriber");
    Ok(())
}
