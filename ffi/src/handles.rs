//! Handles: keys into a table, shaped like pointers and never followed.
//!
//! A key that was never given out, or whose thing is destroyed, is told from a living one, so a
//! double destroy or a use after destroy is an error and not undefined behaviour.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::guard;
use crate::status::{Failure, Status};

const _: () = assert!(usize::BITS == 64, "keys need 64 bits");

/// Most things of a kind that live at once.
const MOST: usize = 1024;

/// Everything of a kind that lives in this process.
pub struct Table<T> {
    /// Upper byte of its keys: a handle of another kind is no key here.
    kind: u8,
    places: RwLock<Vec<Place<T>>>,
}

struct Place<T> {
    generation: u32,
    entry: Option<Arc<Entry<T>>>,
}

/// A living thing. Calls on it follow each other.
pub struct Entry<T> {
    value: Mutex<T>,
    /// Read and written while `value` is held, as is `is_gone`.
    is_poisoned: AtomicBool,
    /// Whether it is taken out: a call that found it in the table before then must not begin.
    is_gone: AtomicBool,
}

impl<T> Table<T> {
    /// An empty table; `kind` tells its keys from those of other tables.
    pub const fn new(kind: u8) -> Self {
        Self {
            kind,
            places: RwLock::new(Vec::new()),
        }
    }

    /// Takes a value in.
    ///
    /// # Errors
    /// [`Status::TooManyHandles`].
    pub fn insert(&self, value: T) -> Result<usize, Failure> {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        let free = places.iter().position(|place| place.entry.is_none());
        let index = match free {
            Some(index) => index,
            None if places.len() < MOST => {
                places.push(Place {
                    generation: 0,
                    entry: None,
                });
                places.len() - 1
            }
            None => return Err(Status::TooManyHandles.into()),
        };
        let place = &mut places[index];
        place.generation = place.generation.wrapping_add(1);
        place.entry = Some(Arc::new(Entry {
            value: Mutex::new(value),
            is_poisoned: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
        }));
        Ok(self.key(index, place.generation))
    }

    /// The thing behind a key.
    ///
    /// # Errors
    /// [`Status::NullPointer`], [`Status::InvalidHandle`].
    pub fn get(&self, key: usize) -> Result<Arc<Entry<T>>, Failure> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(key, &places)?;
        let entry = places[index].entry.as_ref();
        entry.map(Arc::clone).ok_or(Status::InvalidHandle.into())
    }

    /// Takes a thing out if `may_go` says so, or a panic has poisoned it. From that answer on no call
    /// on it begins. It is dropped when the last one who holds it lets go.
    ///
    /// # Errors
    /// As [`Table::get`], and what `may_go` says.
    pub fn remove(
        &self,
        key: usize,
        may_go: impl FnOnce(&T) -> Result<(), Failure>,
    ) -> Result<Arc<Entry<T>>, Failure> {
        let entry = self.get(key)?;
        // Waits for a call that is under way, before the table is held.
        let value = entry.lock_even_poisoned();
        entry.is_alive()?;
        if !entry.is_poisoned.load(Ordering::Relaxed) {
            may_go(&value)?;
        }
        entry.is_gone.store(true, Ordering::Relaxed);
        drop(value);
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(key, &places)?;
        places[index]
            .entry
            .take()
            .ok_or(Status::InvalidHandle.into())
    }

    fn key(&self, index: usize, generation: u32) -> usize {
        usize::from(self.kind) << 56 | (generation as usize) << 16 | (index + 1)
    }

    fn index(&self, key: usize, places: &[Place<T>]) -> Result<usize, Failure> {
        if key == 0 {
            return Err(Status::NullPointer.into());
        }
        let index = (key & 0xFFFF).wrapping_sub(1);
        match places.get(index) {
            Some(place) if self.key(index, place.generation) == key => Ok(index),
            _ => Err(Status::InvalidHandle.into()),
        }
    }
}

impl<T> Entry<T> {
    /// Runs `call` alone on the value. A panic poisons it.
    ///
    /// # Errors
    /// [`Status::InvalidHandle`] once it is taken out, [`Status::Poisoned`] after a panic,
    /// [`Status::InCallback`], [`Status::Panic`], and what `call` says.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> Result<R, Failure>) -> Result<R, Failure> {
        guard::not_in_callback()?;
        let mut value = self.lock_even_poisoned();
        self.is_alive()?;
        if self.is_poisoned.load(Ordering::Relaxed) {
            return Err(Status::Poisoned.into());
        }
        match catch_unwind(AssertUnwindSafe(|| call(&mut value))) {
            Ok(result) => result,
            Err(payload) => {
                self.is_poisoned.store(true, Ordering::Relaxed);
                Err(Failure::new(
                    Status::Panic,
                    guard::panic_text(payload.as_ref()),
                ))
            }
        }
    }

    /// Changes the value even after a panic, in a way that cannot fail; allowed inside a callback.
    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock_even_poisoned());
    }

    /// A copy of the value, such as a counted pointer; allowed inside a callback.
    pub fn shared(&self) -> T
    where
        T: Clone,
    {
        self.lock_even_poisoned().clone()
    }

    /// Asked while the value is held.
    fn is_alive(&self) -> Result<(), Failure> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Status::InvalidHandle.into());
        }
        Ok(())
    }

    fn lock_even_poisoned(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(result: Result<T, Failure>) -> Status {
        result.err().map_or(Status::Ok, |failure| failure.status)
    }

    #[test]
    fn a_destroyed_handle_never_comes_back() {
        let table = Table::new(7);
        let first = table.insert("a").expect("there is room");
        assert_eq!(status(table.remove(first, |_| Ok(()))), Status::Ok);
        let second = table.insert("b").expect("there is room");
        assert_ne!(first, second);
        assert_eq!(status(table.get(first)), Status::InvalidHandle);
        assert_eq!(
            status(table.remove(first, |_| Ok(()))),
            Status::InvalidHandle
        );
        assert_eq!(status(table.get(second)), Status::Ok);
    }

    #[test]
    fn numbers_that_were_never_given_out_are_refused() {
        let table = Table::new(7);
        let key = table.insert(()).expect("there is room");
        assert_eq!(status(table.get(0)), Status::NullPointer);
        for wrong in [1, key + 1, key ^ 1 << 56, key ^ 1 << 16, usize::MAX] {
            assert_eq!(status(table.get(wrong)), Status::InvalidHandle, "{wrong:x}");
        }
    }

    #[test]
    fn a_panic_leaves_a_thing_that_can_only_be_destroyed() {
        let table = Table::new(1);
        let key = table.insert(5).expect("there is room");
        let entry = table.get(key).expect("it lives");
        assert_eq!(
            status(entry.with(|_| -> Result<(), Failure> { panic!("no") })),
            Status::Panic
        );
        assert_eq!(status(entry.with(|_| Ok(()))), Status::Poisoned);
        let refuses = |_: &i32| Err(Status::FrameBorrowed.into());
        assert_eq!(status(table.remove(key, refuses)), Status::Ok);
    }

    /// Something that must not go while it is lent.
    fn may_go(is_lent: &bool) -> Result<(), Failure> {
        match is_lent {
            true => Err(Status::FrameBorrowed.into()),
            false => Ok(()),
        }
    }

    fn lend(entry: &Entry<bool>) -> Result<(), Failure> {
        entry.with(|is_lent| {
            *is_lent = true;
            Ok(())
        })
    }

    #[test]
    fn nothing_is_lent_of_a_thing_that_is_on_its_way_out() {
        let table = Table::new(3);
        let key = table.insert(false).expect("there is room");
        let entry = table.get(key).expect("it lives");
        let (tell, is_asked) = std::sync::mpsc::channel();
        // Holds the other thread between the answer of `may_go` and the table.
        let held = table.places.read().expect("nobody panicked");
        std::thread::scope(|scope| {
            let removed = scope.spawn(|| {
                table.remove(key, |is_lent| {
                    tell.send(()).expect("the test waits");
                    may_go(is_lent)
                })
            });
            is_asked.recv().expect("it is asked");
            assert_eq!(status(lend(&entry)), Status::InvalidHandle);
            drop(held);
            assert_eq!(
                status(removed.join().expect("it does not panic")),
                Status::Ok
            );
        });
        // A call that had found the thing before it went comes too late as well.
        assert_eq!(status(lend(&entry)), Status::InvalidHandle);
        assert_eq!(status(table.get(key)), Status::InvalidHandle);
    }

    #[test]
    fn a_thing_that_is_lent_stays() {
        let table = Table::new(3);
        let key = table.insert(false).expect("there is room");
        let entry = table.get(key).expect("it lives");
        assert_eq!(status(lend(&entry)), Status::Ok);
        assert_eq!(status(table.remove(key, may_go)), Status::FrameBorrowed);
        assert_eq!(status(lend(&entry)), Status::Ok);
    }

    #[test]
    fn the_number_of_things_is_limited() {
        let table = Table::new(2);
        for _ in 0..MOST {
            table.insert(()).expect("there is room");
        }
        assert_eq!(status(table.insert(())), Status::TooManyHandles);
    }
}
