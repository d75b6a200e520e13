//! Plain structs across the ABI: read by the size that the caller states, written by the size that
//! the caller has.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use crate::status::{Failure, Status};

/// Longest text that is read from a caller, in bytes without its end.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// A struct that both sides know.
///
/// # Safety
/// `repr(C)`, begins with `struct_size: u32`, has no padding, and every pattern of bits is a value
/// (pointers are plain addresses).
pub unsafe trait Plain: Copy {
    /// Its size in the first version of the ABI: the least that a caller can have.
    const FIRST_SIZE: usize;
    /// Sizes that it has had, oldest first; each version appends whole fields to the one before.
    const SIZES: &'static [usize] = &[Self::FIRST_SIZE];
}

/// Reads a caller's struct. One that is shorter, from an older header, has zero in the fields that
/// it lacks. One that is longer than a known version, from a newer header, must have zero in what is
/// not known here: so no field, which may be an address, is taken in part.
///
/// # Errors
/// [`Status::NullPointer`], [`Status::Misaligned`], [`Status::StructSize`].
///
/// # Safety
/// `from` is NULL, or points to as many readable bytes as its first four say, and to four in any
/// case.
pub unsafe fn read<T: Plain>(from: *const T) -> Result<T, Failure> {
    check(from)?;
    // SAFETY: the caller vouches for four bytes; they are aligned for `T` and so for `u32`.
    let found = unsafe { from.cast::<u32>().read() } as usize;
    if found < T::FIRST_SIZE || found > LONGEST_TEXT {
        return Err(size_failure::<T>(found));
    }
    let fitting = T::SIZES.iter().rev().find(|&&size| size <= found);
    let known = fitting.copied().unwrap_or(T::FIRST_SIZE);
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable by the caller's word and fit into the value; a local
    // value does not overlap the caller's.
    unsafe {
        std::ptr::copy_nonoverlapping(from.cast::<u8>(), value.as_mut_ptr().cast(), known);
    }
    for offset in known..found {
        // SAFETY: below `found`, which the caller vouches for.
        if unsafe { from.cast::<u8>().add(offset).read() } != 0 {
            return Err(Failure::new(
                Status::StructSize,
                format!(
                    "struct_size: byte {offset} holds an option that this library does not know; \
                     expected zero beyond {known} bytes"
                ),
            ));
        }
    }
    // SAFETY: every pattern of bits is a value, by the trait's contract.
    Ok(unsafe { value.assume_init() })
}

/// Writes as much of `value` as the caller has room for, and no more.
///
/// # Errors
/// As [`read`]; then nothing is written.
///
/// # Safety
/// `to` is NULL, or points to `size` writable bytes.
pub unsafe fn write<T: Plain>(to: *mut T, size: usize, value: &T) -> Result<(), Failure> {
    check(to)?;
    if size < T::FIRST_SIZE {
        return Err(size_failure::<T>(size));
    }
    let written = size.min(size_of::<T>());
    let stated = u32::try_from(written).unwrap_or(u32::MAX);
    // SAFETY: `written` bytes are writable by the caller's word and readable in `value`; a borrowed
    // value of ours does not overlap the caller's. The first four bytes are `struct_size`.
    unsafe {
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(value).cast::<u8>(), to.cast(), written);
        to.cast::<u32>().write(stated);
    }
    Ok(())
}

/// Hands a result out.
///
/// # Errors
/// [`Status::NullPointer`], [`Status::Misaligned`]; see [`check`].
///
/// # Safety
/// `to` is NULL, or points to a writable `T`.
pub unsafe fn put<T>(to: *mut T, value: T) -> Result<(), Failure> {
    check(to)?;
    // SAFETY: writable by the caller's word, and aligned.
    unsafe { to.write(value) };
    Ok(())
}

/// Refuses what cannot be the address of a `T`.
///
/// # Errors
/// [`Status::NullPointer`], [`Status::Misaligned`].
pub fn check<T>(address: *const T) -> Result<(), Failure> {
    if address.is_null() {
        return Err(Status::NullPointer.into());
    }
    if !address.is_aligned() {
        return Err(Status::Misaligned.into());
    }
    Ok(())
}

/// A caller's text; NULL is none.
///
/// # Errors
/// [`Status::InvalidArgument`] where its end is too far away.
///
/// # Safety
/// `from` is NULL, or points to readable bytes up to and including a zero byte; the text is not
/// changed while the result lives.
pub unsafe fn text<'a>(field: &str, from: *const c_char) -> Result<Option<&'a CStr>, Failure> {
    if from.is_null() {
        return Ok(None);
    }
    // SAFETY: each byte is readable up to the zero byte, where the search ends.
    let length = (0..=LONGEST_TEXT).find(|&at| unsafe { from.add(at).read() } == 0);
    if length.is_none() {
        return Err(Failure::new(
            Status::InvalidArgument,
            format!("{field}: expected at most {LONGEST_TEXT} bytes of text, found more"),
        ));
    }
    // SAFETY: the zero byte was found.
    Ok(Some(unsafe { CStr::from_ptr(from) }))
}

/// Copies text into a field of fixed size, cut at a character and ended by zero.
pub fn fill(field: &mut [c_char], text: &str) {
    field.fill(0);
    let mut length = text.len().min(field.len().saturating_sub(1));
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    for (to, from) in field.iter_mut().zip(&text.as_bytes()[..length]) {
        *to = *from as c_char;
    }
}

fn size_failure<T: Plain>(found: usize) -> Failure {
    Failure::new(
        Status::StructSize,
        format!(
            "struct_size: expected at least {} bytes, {} for all of this version, found {found}",
            T::FIRST_SIZE,
            size_of::<T>()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Second {
        struct_size: u32,
        old: u32,
        new: u64,
    }

    // SAFETY: integers without padding.
    unsafe impl Plain for Second {
        const FIRST_SIZE: usize = 8;
        const SIZES: &'static [usize] = &[8, 16];
    }

    #[repr(C, align(8))]
    struct Bytes([u8; 24]);

    fn caller(size: u32, fill: u8) -> Bytes {
        let mut bytes = [fill; 24];
        bytes[..4].copy_from_slice(&size.to_ne_bytes());
        Bytes(bytes)
    }

    fn status<T>(result: Result<T, Failure>) -> Status {
        result.err().map_or(Status::Ok, |failure| failure.status)
    }

    #[test]
    fn an_older_struct_has_zero_in_the_fields_that_it_lacks() {
        let old = caller(8, 1);
        // SAFETY: 24 bytes are there.
        let value = unsafe { read(old.0.as_ptr().cast::<Second>()) }.expect("the size is right");
        assert_eq!((value.old, value.new), (0x0101_0101, 0));
    }

    #[test]
    fn a_newer_struct_is_taken_only_while_its_new_fields_are_zero() {
        let mut newer = caller(24, 0);
        // SAFETY: 24 bytes are there.
        let read = |bytes: &Bytes| status(unsafe { read(bytes.0.as_ptr().cast::<Second>()) });
        assert_eq!(read(&newer), Status::Ok);
        newer.0[20] = 1;
        assert_eq!(read(&newer), Status::StructSize);
    }

    #[test]
    fn no_field_is_taken_in_part() {
        let mut between = caller(12, 0);
        // SAFETY: 24 bytes are there.
        let read = |bytes: &Bytes| unsafe { read(bytes.0.as_ptr().cast::<Second>()) };
        assert_eq!(read(&between).expect("half of it is zero").new, 0);
        between.0[9] = 1;
        assert_eq!(status(read(&between)), Status::StructSize);
    }

    #[test]
    fn sizes_and_addresses_that_cannot_be_are_refused() {
        // SAFETY: 24 bytes are there, and addresses that do not fit are not followed.
        unsafe {
            for size in [0, 4, 7, u32::MAX] {
                let bytes = caller(size, 0);
                let from = bytes.0.as_ptr().cast::<Second>();
                assert_eq!(status(read(from)), Status::StructSize, "{size}");
            }
            assert_eq!(
                status(read::<Second>(std::ptr::null())),
                Status::NullPointer
            );
            let bytes = caller(16, 0);
            let odd = bytes.0.as_ptr().add(1).cast::<Second>();
            assert_eq!(status(read(odd)), Status::Misaligned);
        }
    }

    #[test]
    fn no_more_is_written_than_the_caller_has() {
        let value = Second {
            struct_size: 16,
            old: 5,
            new: u64::MAX,
        };
        let mut bytes = Bytes([0xAA; 24]);
        let to = bytes.0.as_mut_ptr().cast::<Second>();
        // SAFETY: 24 bytes are there.
        unsafe {
            assert_eq!(status(write(to, 7, &value)), Status::StructSize);
            assert_eq!(bytes.0, [0xAA; 24]);
            assert_eq!(status(write(to, 8, &value)), Status::Ok);
        }
        assert_eq!(bytes.0[..8], [8, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(bytes.0[8..], [0xAA; 16]);
    }

    #[test]
    fn text_is_cut_at_a_character() {
        let mut field = [1; 4];
        fill(&mut field, "aaä");
        assert_eq!(field, [97, 97, 0, 0]);
    }
}
