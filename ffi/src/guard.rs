//! What stands around every call: no panic gets out, and the text of a failure is kept.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::{Failure, Status};

thread_local! {
    static ERROR_TEXT: RefCell<String> = const { RefCell::new(String::new()) };
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs the body of a C function. A panic becomes [`Status::Panic`]; the text of a failure is kept
/// for this thread. Success and [`Status::Waiting`] leave the text as it was, and cost nothing.
pub fn guarded(body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return Status::Ok.number(),
        Ok(Err(failure)) => failure,
        Err(payload) => Failure::new(Status::Panic, panic_text(payload.as_ref())),
    };
    if failure.status != Status::Waiting {
        remember(&failure);
    }
    failure.status.number()
}

/// What a panic said.
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let words = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panic: {words}")
}

/// The text of the last failure on this thread, given to `read`.
pub fn with_error_text<T>(read: impl FnOnce(&str) -> T) -> T {
    ERROR_TEXT.with_borrow(|text| read(text))
}

fn remember(failure: &Failure) {
    ERROR_TEXT.with_borrow_mut(|kept| {
        kept.clear();
        match &failure.text {
            Some(text) => kept.push_str(text),
            // Static and short: the buffer grows once for a thread.
            None => kept.push_str(failure.status.text().to_str().unwrap_or_default()),
        }
    });
}

/// Runs a callback of the caller; meanwhile this thread counts as inside of it.
pub fn calling_back<T>(callback: impl FnOnce() -> T) -> T {
    let before = IN_CALLBACK.replace(true);
    let result = callback();
    IN_CALLBACK.set(before);
    result
}

/// Refuses what would wait for itself.
pub fn not_in_callback() -> Result<(), Failure> {
    if IN_CALLBACK.get() {
        return Err(Status::InCallback.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        let status = guarded(|| panic!("the {} broke", "wheel"));
        assert_eq!(status, Status::Panic.number());
        with_error_text(|text| assert_eq!(text, "panic: the wheel broke"));
    }

    #[test]
    fn success_and_waiting_leave_the_text_of_the_failure_before() {
        assert_eq!(
            guarded(|| Err(Failure::new(Status::Option, "threads: 0"))),
            36
        );
        assert_eq!(guarded(|| Ok(())), 0);
        assert_eq!(guarded(|| Err(Status::Waiting.into())), 1);
        with_error_text(|text| assert_eq!(text, "threads: 0"));
    }

    #[test]
    fn callbacks_may_nest() {
        calling_back(|| {
            calling_back(|| assert!(not_in_callback().is_err()));
            assert!(not_in_callback().is_err());
        });
        assert!(not_in_callback().is_ok());
    }
}
