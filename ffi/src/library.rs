//! What belongs to the library as a whole: versions, texts, the log.

use std::ffi::{CStr, c_char, c_void};
use std::sync::{OnceLock, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

use crate::constants::{BEVRT_ABI_MAJOR, BEVRT_ABI_MINOR};
use crate::guard::{self, guarded};
use crate::settings::out_of_range;
use crate::status::{Failure, Status};

/// The ABI that the library has: `major << 16 | minor`. A caller works with it when the major number
/// is that of its header, and the minor one at least that of its header.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_abi_version() -> u32 {
    BEVRT_ABI_MAJOR << 16 | BEVRT_ABI_MINOR
}

/// Version of the library, such as "0.1.0". Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_version_str() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => panic!("a version has no zero byte"),
        };
    VERSION.as_ptr()
}

/// What a status means, in a few words; "unknown status" for another number. Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn bevrt_status_str(status: i32) -> *const c_char {
    Status::from_number(status)
        .map_or(c"unknown status", Status::text)
        .as_ptr()
}

/// Copies the text of this thread's last failed call, cut to `text_size` with its zero byte, and
/// returns the length of all of it. Such as: `rig.toml: camera "front": fx_px: expected a positive
/// finite number, found -3`.
///
/// # Safety
/// `text` is NULL (then only the length is returned) or points to `text_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_error_text(text: *mut c_char, text_size: usize) -> usize {
    guard::with_error_text(|kept| {
        if !text.is_null() && text_size > 0 {
            let mut length = kept.len().min(text_size - 1);
            while !kept.is_char_boundary(length) {
                length -= 1;
            }
            // SAFETY: `length` is below `text_size`, which the caller vouches for.
            unsafe {
                std::ptr::copy_nonoverlapping(kept.as_ptr(), text.cast(), length);
                text.add(length).write(0);
            }
        }
        kept.len()
    })
}

/// Is given each message of the log: its level (1 error, 2 warning, 3 info, 4 debug, 5 trace), where
/// it comes from, and its text. Called on the thread that has something to say. Inside of it no
/// pipeline can be used.
pub type LogCallback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        level: i32,
        target: *const c_char,
        message: *const c_char,
    ),
>;

/// Sets who is given the log of this process, or nobody (NULL). Messages above `level` are left out.
/// When it returns, the callback before is not running any more and will not be called again.
///
/// Status: OK, INVALID_ARGUMENT, IN_CALLBACK; UNSUPPORTED when a Rust program has its own logger.
///
/// # Safety
/// `callback` and `user_data` may be used from any thread until another callback is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bevrt_log_set_callback(
    callback: LogCallback,
    user_data: *mut c_void,
    level: i32,
) -> i32 {
    guarded(|| {
        guard::not_in_callback()?;
        let level = match level {
            0 => LevelFilter::Off,
            1 => LevelFilter::Error,
            2 => LevelFilter::Warn,
            3 => LevelFilter::Info,
            4 => LevelFilter::Debug,
            5 => LevelFilter::Trace,
            other => return Err(out_of_range("level", "0 to 5", other)),
        };
        install()?;
        let mut sink = SINK.write().unwrap_or_else(PoisonError::into_inner);
        *sink = callback.map(|callback| Sink {
            callback,
            user_data,
        });
        let is_wanted = sink.is_some();
        log::set_max_level(if is_wanted { level } else { LevelFilter::Off });
        Ok(())
    })
}

struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char),
    user_data: *mut c_void,
}

// SAFETY: the caller of `bevrt_log_set_callback` vouches for use from any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

struct Forward;

impl Log for Forward {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // A callback that logs again would wait for itself.
        if guard::not_in_callback().is_err() {
            return;
        }
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = sink.as_ref() else { return };
        let target = c_text(record.target().to_owned());
        let message = c_text(record.args().to_string());
        let level = record.level() as i32;
        guard::calling_back(|| {
            // SAFETY: the callback is alive while it is in SINK, which is held for reading; both
            // texts end with zero.
            unsafe { (sink.callback)(sink.user_data, level, target.as_ptr(), message.as_ptr()) }
        });
    }

    fn flush(&self) {}
}

fn c_text(text: String) -> std::ffi::CString {
    std::ffi::CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// Takes the place of this process's logger, once.
fn install() -> Result<(), Failure> {
    static IS_OURS: OnceLock<bool> = OnceLock::new();
    if *IS_OURS.get_or_init(|| log::set_logger(&Forward).is_ok()) {
        return Ok(());
    }
    Err(Failure::new(
        Status::Unsupported,
        "this process has another logger of the `log` crate",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_and_abi_have_the_same_major_number() {
        // Soname and CMake's version file take it from the package.
        assert_eq!(env!("CARGO_PKG_VERSION_MAJOR").parse(), Ok(BEVRT_ABI_MAJOR));
        assert_eq!(bevrt_abi_version() >> 16, BEVRT_ABI_MAJOR);
    }
}
