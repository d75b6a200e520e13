//! Wires in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bevrt_hil_link::{LinkClock, Received, Wire, WireError};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// A wire that loses nothing while few messages wait. It stays open when the other end is gone, as a
/// network does.
pub struct Memory {
    sender: Sender<Received>,
    receiver: Receiver<Received>,
    /// Keeps our own channel open.
    _other: Sender<Received>,
}

impl Memory {
    /// Both ends.
    pub fn pair() -> (Self, Self) {
        let (to_b, from_a) = bounded(512);
        let (to_a, from_b) = bounded(512);
        let a = Self {
            sender: to_b.clone(),
            receiver: from_b,
            _other: to_a.clone(),
        };
        let b = Self {
            sender: to_a,
            receiver: from_a,
            _other: to_b,
        };
        (a, b)
    }
}

impl Wire for Memory {
    fn send(&self, message: &[u8]) -> Result<(), WireError> {
        let received = Received {
            at_ns: LinkClock::now_ns(),
            bytes: message.to_vec(),
        };
        // Full, or nobody there: lost.
        let _ = self.sender.try_send(received);
        Ok(())
    }

    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError> {
        match self.receiver.recv_timeout(wait) {
            Ok(received) => Ok(Some(received)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(WireError::new("receiving", "closed")),
        }
    }
}

/// A wire that closes after some messages were received.
pub struct Ending<'a> {
    inner: &'a dyn Wire,
    left: AtomicUsize,
}

impl<'a> Ending<'a> {
    pub fn new(inner: &'a dyn Wire, messages: usize) -> Self {
        Self {
            inner,
            left: AtomicUsize::new(messages),
        }
    }
}

impl Wire for Ending<'_> {
    fn send(&self, message: &[u8]) -> Result<(), WireError> {
        self.inner.send(message)
    }

    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return Err(WireError::new("receiving", "closed"));
        }
        let received = self.inner.receive(wait)?;
        if received.is_some() {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(received)
    }
}

/// A wire that damages every n-th long message that is sent: those are frames.
pub struct Damaging<'a> {
    inner: &'a dyn Wire,
    every: usize,
    sent: AtomicUsize,
}

impl<'a> Damaging<'a> {
    pub fn new(inner: &'a dyn Wire, every: usize) -> Self {
        Self {
            inner,
            every,
            sent: AtomicUsize::new(0),
        }
    }
}

impl Wire for Damaging<'_> {
    fn send(&self, message: &[u8]) -> Result<(), WireError> {
        let mut message = message.to_vec();
        if message.len() > 50_000 {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            if number % self.every == self.every - 1 {
                let middle = message.len() / 2;
                message[middle] ^= 0x10;
            }
        }
        self.inner.send(&message)
    }

    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError> {
        self.inner.receive(wait)
    }
}

/// A wire whose sender is busy for a time after each long message: those are frames.
pub struct Busy<'a> {
    pub inner: &'a dyn Wire,
    pub time: Duration,
}

impl Wire for Busy<'_> {
    fn send(&self, message: &[u8]) -> Result<(), WireError> {
        self.inner.send(message)?;
        if message.len() > 50_000 {
            std::thread::sleep(self.time);
        }
        Ok(())
    }

    fn receive(&self, wait: Duration) -> Result<Option<Received>, WireError> {
        self.inner.receive(wait)
    }
}
