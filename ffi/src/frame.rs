//! Frames as the caller has room for them.

use bevrt_runtime::{FrameHealth, OutputFrame};
use zerocopy::IntoBytes;

use crate::plain;
use crate::status::{Failure, Status};

/// Sizes that the frame has had, oldest first: each version appends to the one before.
const FRAME_SIZES: &[usize] = &[57_760];
/// Sizes that its health has had.
const HEALTH_SIZES: &[usize] = &[616];

const _: () = {
    assert!(FRAME_SIZES[FRAME_SIZES.len() - 1] == size_of::<OutputFrame>());
    assert!(HEALTH_SIZES[HEALTH_SIZES.len() - 1] == size_of::<FrameHealth>());
};

/// Where in a frame its own size stands.
const SIZE_OFFSET: usize = std::mem::offset_of!(OutputFrame, frame_size_bytes);

/// Whether a caller's memory can take a frame; asked before the step, so that none is lost.
///
/// # Errors
/// [`Status::NullPointer`], [`Status::Misaligned`], [`Status::StructSize`].
pub fn check(to: *const OutputFrame, size: usize) -> Result<(), Failure> {
    room(to, size).map(|_| ())
}

/// Bytes of the frame that the caller's memory takes.
fn room(to: *const OutputFrame, size: usize) -> Result<usize, Failure> {
    plain::check(to)?;
    written(FRAME_SIZES, size)
}

/// Copies as much of a frame as the caller's version of it has.
///
/// # Errors
/// As [`check`].
///
/// # Safety
/// `to` is NULL, or points to `size` writable bytes.
pub unsafe fn write(to: *mut OutputFrame, size: usize, frame: &OutputFrame) -> Result<(), Failure> {
    let length = room(to, size)?;
    let stated = (length as u32).to_ne_bytes();
    // SAFETY: `length` bytes are writable by the caller's word, and as many are in the frame.
    unsafe {
        copy(frame.as_bytes(), to.cast(), length);
        copy(&stated, to.cast::<u8>().add(SIZE_OFFSET), stated.len());
    }
    Ok(())
}

/// Copies as much of the health as the caller's version of it has.
///
/// # Errors
/// As [`check`].
///
/// # Safety
/// `to` is NULL, or points to `size` writable bytes.
pub unsafe fn write_health(
    to: *mut FrameHealth,
    size: usize,
    health: &FrameHealth,
) -> Result<(), Failure> {
    plain::check(to)?;
    let length = written(HEALTH_SIZES, size)?;
    // SAFETY: `length` bytes are writable by the caller's word, and as many are in the health.
    unsafe { copy(health.as_bytes(), to.cast(), length) };
    Ok(())
}

/// The largest known size that fits.
fn written(sizes: &[usize], size: usize) -> Result<usize, Failure> {
    let fitting = sizes.iter().rev().find(|&&known| known <= size);
    fitting.copied().ok_or_else(|| {
        let text = format!("expected room for {} bytes, found {size}", sizes[0]);
        Failure::new(Status::StructSize, text)
    })
}

/// # Safety
/// `to` points to `length` writable bytes outside of `from`, which has as many.
unsafe fn copy(from: &[u8], to: *mut u8, length: usize) {
    // SAFETY: by the contract of this function.
    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to, length) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_version_that_fits_is_written() {
        let sizes = [100, 160, 200];
        let of = |size| written(&sizes, size).map_err(|failure| failure.status);
        assert_eq!(of(99), Err(Status::StructSize));
        assert_eq!(of(100), Ok(100));
        assert_eq!(of(199), Ok(160));
        assert_eq!(of(5000), Ok(200));
    }
}
