//! A wire over zenoh: one connection between two given endpoints, nothing is discovered.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TrySendError, bounded};
use zenoh::Wait;
use zenoh::bytes::ZBytes;
use zenoh::pubsub::{Publisher, Subscriber};
use zenoh::qos::CongestionControl;
use zenoh::{Config, Session};

use crate::clock::LinkClock;
use crate::wire::{Received, Wire, WireError};

/// Messages that wait to be taken: more are lost.
const WAITING: usize = 512;
const TO_UNIT: &str = "bevrt/hil/to_unit";
const TO_BENCH: &str = "bevrt/hil/to_bench";

/// Which side of the link one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sends frames, receives drives.
    Unit,
    /// Sends drives, receives frames.
    Bench,
}

/// Where a side is to be found, and where it looks for the other: `tcp/127.0.0.1:7448`,
/// `udp/10.0.0.2:7448`. One side listens, the other connects, and connects again when it was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Own endpoints.
    pub listen: Vec<String>,
    /// Endpoints of the other side.
    pub connect: Vec<String>,
}

/// A wire over zenoh.
pub struct ZenohWire {
    // Publisher and subscriber end before their session.
    publisher: Publisher<'static>,
    _subscriber: Subscriber<()>,
    received: Receiver<Received>,
    session: Session,
}

impl ZenohWire {
    /// Opens the wire. That the other side is not there yet is no error.
    ///
    /// # Errors
    /// An endpoint is none or cannot be listened at.
    pub fn open(side: Side, endpoints: &Endpoints) -> Result<Self, WireError> {
        let session = zenoh::open(config(endpoints)?)
            .wait()
            .map_err(|error| WireError::new(format_args!("{endpoints:?}"), error))?;
        let (out, back) = match side {
            Side::Unit => (TO_BENCH, TO_UNIT),
            Side::Bench => (TO_UNIT, TO_BENCH),
        };
        let publisher = session
            .declare_publisher(out)
            .congestion_control(CongestionControl::Block)
            .express(true)
            .wait()
            .map_err(|error| WireError::new(out, error))?;
        let (sender, received) = bounded(WAITING);
        let subscriber = session
            .declare_subscriber(back)
            .callback(move |sample| {
                let message = Received {
                    at_ns: LinkClock::now_ns(),
                    bytes: sample.payload().to_bytes().into_owned(),
                };
                // What nobody takes in time is lost, as on any link; the sides notice by numbers.
                let (Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) =
                    sender.try_send(message);
            })
            .wait()
            .map_err(|error| WireError::new(back, error))?;
        Ok(Self {
            publisher,
            _subscriber: subscriber,
            received,
            session,
        })
    }
}

impl Drop for ZenohWire {
    fn drop(&mut self) {
        // What was sent goes out first. Nothing can be done about a failure any more.
        let _closed = self.session.close().wait();
    }
}

impl Wire for ZenohWire {
    fn send(&self, message: &[u8]) -> Result<(), WireError> {
        self.publisher
            .put(ZBytes::from(message))
            .wait()
            .map_err(|error| WireError::new("sending", error))
    }

    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError> {
        match self.received.recv_timeout(wait) {
            Ok(received) => Ok(Some(received)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(WireError::new("receiving", "the session is closed"))
            }
        }
    }
}

/// Peers that know each other from `endpoints` alone.
fn config(endpoints: &Endpoints) -> Result<Config, WireError> {
    let list = |endpoints: &[String]| {
        let quoted: Vec<String> = endpoints.iter().map(|text| format!("{text:?}")).collect();
        format!("[{}]", quoted.join(","))
    };
    let mut config = Config::default();
    for (key, value) in [
        ("mode", "\"peer\"".to_owned()),
        ("scouting/multicast/enabled", "false".to_owned()),
        ("scouting/gossip/enabled", "false".to_owned()),
        ("listen/endpoints", list(&endpoints.listen)),
        ("connect/endpoints", list(&endpoints.connect)),
        // Goes on trying behind the scenes, from the start and after a loss.
        ("connect/timeout_ms", "-1".to_owned()),
        ("connect/exit_on_failure", "false".to_owned()),
        (
            "connect/retry",
            "{ period_init_ms: 100, period_max_ms: 1000, period_increase_factor: 2 }".to_owned(),
        ),
        // A side that is gone without a word is noticed after this time.
        ("transport/link/tx/lease", "3000".to_owned()),
    ] {
        config
            .insert_json5(key, &value)
            .map_err(|error| WireError::new(format_args!("{key} = {value}"), error))?;
    }
    Ok(config)
}
