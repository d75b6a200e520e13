//! What a caller's callbacks do: they look at what they are given, and call back in.

use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicI64, Ordering};

use bevrt::Status;
use bevrt::worker::bevrt_worker_destroy;
use bevrt_runtime::OutputFrame;

/// Images that were taken and are not released yet.
pub static LENT_IMAGES: AtomicI64 = AtomicI64::new(0);
static CLOCK_NS: AtomicI64 = AtomicI64::new(0);

/// Every status that leaves the library: known, and no sign of a bug.
pub fn sound(status: i32) -> i32 {
    let known = Status::from_number(status).unwrap_or_else(|| panic!("status {status}"));
    assert!(
        !matches!(known, Status::Panic | Status::Poisoned),
        "{known:?}"
    );
    status
}

/// A release callback; `user_data` is the handle of its worker.
pub unsafe extern "C" fn released(user_data: *mut c_void, status: i32) {
    sound(status);
    LENT_IMAGES.fetch_sub(1, Ordering::SeqCst);
    let inside = bevrt_worker_destroy(user_data.cast());
    assert!(user_data.is_null() || inside == Status::InCallback.number());
}

/// A frame callback.
pub unsafe extern "C" fn framed(_user_data: *mut c_void, status: i32, frame: *const OutputFrame) {
    assert_eq!(sound(status) == 0, !frame.is_null());
    // SAFETY: it is NULL or a frame that lives during the call.
    if let Some(frame) = unsafe { frame.as_ref() } {
        assert_eq!(frame.frame_size_bytes as usize, size_of::<OutputFrame>());
    }
}

/// A clock callback.
pub unsafe extern "C" fn clock(_user_data: *mut c_void) -> i64 {
    CLOCK_NS.fetch_add(10_000_000, Ordering::Relaxed)
}

/// A log callback.
pub unsafe extern "C" fn logged(
    _user_data: *mut c_void,
    level: i32,
    target: *const c_char,
    message: *const c_char,
) {
    assert!((1..=5).contains(&level));
    for text in [target, message] {
        // SAFETY: the library ends its texts with zero.
        let _text = unsafe { CStr::from_ptr(text) }.to_bytes();
    }
}
