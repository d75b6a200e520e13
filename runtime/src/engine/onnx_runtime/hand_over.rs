//! From one thread to another.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Hands one thing at a time to another thread. Unlike with a channel, waiting takes no memory.
pub(super) struct HandOver<T> {
    held: Mutex<Held<T>>,
    changed: Condvar,
}

enum Held<T> {
    Nothing,
    Value(T),
    Closed,
}

impl<T> HandOver<T> {
    pub(super) const fn new() -> Self {
        Self {
            held: Mutex::new(Held::Nothing),
            changed: Condvar::new(),
        }
    }

    /// Gives it; has it back when the other side has closed. What was not taken before is dropped.
    pub(super) fn give(&self, value: T) -> Result<(), T> {
        let mut held = self.lock();
        if matches!(*held, Held::Closed) {
            return Err(value);
        }
        *held = Held::Value(value);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for what the other side gives; `None` when it has closed.
    pub(super) fn take(&self) -> Option<T> {
        let mut held = self.lock();
        loop {
            match std::mem::replace(&mut *held, Held::Nothing) {
                Held::Value(value) => return Some(value),
                Held::Closed => {
                    *held = Held::Closed;
                    return None;
                }
                Held::Nothing => {
                    let waited = self.changed.wait(held);
                    held = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Ends it; what was not taken is dropped.
    pub(super) fn close(&self) {
        *self.lock() = Held::Closed;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_given_is_taken_by_a_thread_that_waits_and_by_one_that_comes_later() {
        let way = HandOver::new();
        thread::scope(|scope| {
            let taken = scope.spawn(|| [way.take(), way.take()]);
            assert_eq!(way.give(1), Ok(()));
            // One at a time: the second would displace the first.
            while !matches!(*way.lock(), Held::Nothing) {
                thread::yield_now();
            }
            assert_eq!(way.give(2), Ok(()));
            assert_eq!(taken.join().expect("no panic"), [Some(1), Some(2)]);
        });
    }

    #[test]
    fn closing_ends_the_wait_and_gives_back_what_comes_later() {
        let way = HandOver::<u8>::new();
        thread::scope(|scope| {
            let taken = scope.spawn(|| way.take());
            way.close();
            assert_eq!(taken.join().expect("no panic"), None);
        });
        assert_eq!(way.give(3), Err(3));
        assert_eq!(way.take(), None);
    }
}
