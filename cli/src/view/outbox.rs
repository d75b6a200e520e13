//! What waits to be sent to one client: bounded, so that a slow one costs no more memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tungstenite::Message;

/// Frames and messages beyond this are dropped, the oldest first.
const MOST_BYTES: usize = 8 << 20;
/// A client for which so many answers wait is given up.
const MOST_ANSWERS: usize = 1024;

/// A queue between who makes messages and the thread of a client.
#[derive(Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Waiting>,
    bytes: usize,
    answers: usize,
    is_closed: bool,
}

struct Waiting {
    message: Message,
    may_be_dropped: bool,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what must not be lost.
    pub fn answer(&self, message: Message) {
        let mut inner = self.lock();
        if inner.answers >= MOST_ANSWERS {
            inner.is_closed = true;
            return;
        }
        inner.answers += 1;
        inner.push(message, false);
    }

    /// Sends what may be dropped when the client is too slow for it.
    pub fn stream(&self, message: Message) {
        let mut inner = self.lock();
        while inner.bytes + message.len() > MOST_BYTES {
            let Some(oldest) = inner.queue.iter().position(|one| one.may_be_dropped) else {
                break;
            };
            inner.remove(oldest);
        }
        inner.push(message, true);
    }

    /// The next message to send.
    pub fn pop(&self) -> Option<Message> {
        self.lock().remove(0)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// Ends the connection.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Whether the connection is to end.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }
}

impl Inner {
    fn push(&mut self, message: Message, may_be_dropped: bool) {
        self.bytes += message.len();
        self.queue.push_back(Waiting {
            message,
            may_be_dropped,
        });
    }

    fn remove(&mut self, place: usize) -> Option<Message> {
        let waiting = self.queue.remove(place)?;
        self.bytes -= waiting.message.len();
        self.answers -= usize::from(!waiting.may_be_dropped);
        Some(waiting.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(first: u8, length: usize) -> Message {
        let mut bytes = vec![0; length];
        bytes[0] = first;
        Message::Binary(bytes.into())
    }

    #[test]
    fn the_oldest_frames_are_dropped_and_answers_stay() {
        let outbox = Outbox::default();
        outbox.answer("answer".into());
        for number in 0..20 {
            outbox.stream(bytes(number, 1 << 20));
        }
        assert_eq!(outbox.pop(), Some("answer".into()));
        let left: Vec<_> = std::iter::from_fn(|| outbox.pop()).collect();
        assert_eq!(left.len(), 7);
        assert_eq!(left[0], bytes(13, 1 << 20));
        assert!(outbox.is_empty() && outbox.lock().bytes == 0);
    }

    #[test]
    fn what_is_larger_than_the_queue_is_sent_alone() {
        let outbox = Outbox::default();
        outbox.stream(bytes(1, 10));
        outbox.stream(bytes(2, MOST_BYTES + 1));
        assert_eq!(
            outbox.pop().map(|message| message.len()),
            Some(MOST_BYTES + 1)
        );
    }

    #[test]
    fn a_client_that_asks_and_never_reads_is_given_up() {
        let outbox = Outbox::default();
        for _ in 0..MOST_ANSWERS {
            outbox.answer("status".into());
        }
        assert!(!outbox.is_closed());
        outbox.answer("status".into());
        assert!(outbox.is_closed());
    }
}
