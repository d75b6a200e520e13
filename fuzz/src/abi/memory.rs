//! A caller's structs: of the stated size, at a sound address or none, and watched behind their end.

use crate::bytes::Bytes;

/// Largest size of an option struct that the library reads.
const LARGEST: usize = 64 * 1024;
const UNTOUCHED: u8 = 0xAA;

/// Gives a struct to fill to `call`; no byte beyond the size that is stated may change.
pub fn filled<T>(bytes: &mut Bytes<'_>, call: impl FnOnce(*mut T, usize) -> i32) -> i32 {
    let full = size_of::<T>();
    let size = bytes.choice([full, full, full, full + 8, full - 1, full / 2, 4, 0]);
    let mut words = vec![u64::from_ne_bytes([UNTOUCHED; 8]); size.div_ceil(8) + 1];
    let address = placed(bytes, words.as_mut_ptr().cast::<u8>());
    let status = call(address.cast(), size);
    let all: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    assert!(all[size..].iter().all(|&byte| byte == UNTOUCHED));
    assert!(status == 0 || all.iter().all(|&byte| byte == UNTOUCHED));
    status
}

/// Gives `value` to `call`, with some bytes outside of `addresses` changed and any `struct_size`; as
/// many bytes are there as the struct says.
pub fn given<T: Copy>(
    bytes: &mut Bytes<'_>,
    value: T,
    addresses: &[(usize, usize)],
    call: impl FnOnce(*const T) -> i32,
) -> i32 {
    let full = size_of::<T>();
    let random = usize::from(bytes.u16());
    let largest = u32::MAX as usize;
    let stated = bytes.choice([
        full,
        full,
        full,
        full,
        full + 8,
        full - 1,
        4,
        random,
        largest,
        LARGEST,
    ]);
    let there = if stated > LARGEST { 8 } else { stated.max(8) };
    let mut words = vec![0_u64; there.div_ceil(8)];
    let memory = words.as_mut_ptr().cast::<u8>();
    // SAFETY:
    // - `value` has `full` bytes and the words at least as many as are copied, by `min`.
    // - Words that were made here do not overlap it.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), memory, full.min(there));
    }
    for _ in 0..bytes.u8() % 5 {
        let offset = usize::from(bytes.u16()) % there;
        let byte = bytes.u8();
        let is_address = |&(from, until): &(usize, usize)| (from..until).contains(&offset);
        if !addresses.iter().any(is_address) {
            // SAFETY: the offset is within the words.
            unsafe { memory.add(offset).write(byte) };
        }
    }
    let size = (stated as u32).to_ne_bytes();
    // SAFETY: there are eight bytes at least.
    unsafe { memory.cast::<[u8; 4]>().write(size) };
    call(placed(bytes, memory).cast())
}

/// The address, or none, or one that is not aligned.
fn placed(bytes: &mut Bytes<'_>, address: *mut u8) -> *mut u8 {
    match bytes.u8() {
        0xFF => std::ptr::null_mut(),
        0xFE => address.wrapping_add(1),
        _ => address,
    }
}
