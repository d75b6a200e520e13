//! The C functions, in any order, with any arguments that a caller's word allows: what cannot be
//! checked (memory behind an address, a zero at the end of a text) is as the contract wants it.

mod callbacks;
mod caller;
mod memory;
mod structs;

use caller::Caller;

use crate::bytes::Bytes;

/// Calls of one input at most.
const MOST_CALLS: usize = 64;

/// A sequence of calls: every one gives a status that the header has, and none panics.
///
/// Where there is no ONNX Runtime, no pipeline lives, and calls see the error paths alone.
pub fn abi(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut caller = Caller::new();
    for _ in 0..MOST_CALLS {
        if bytes.is_empty() {
            break;
        }
        caller.call(&mut bytes);
    }
    caller.end();
}
