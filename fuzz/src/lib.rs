//! What strangers can hand to bevrt, and what each of it is tried with: calls of the C ABI, manifests,
//! rigs and calibration files, logs, protected messages, networks.
//!
//! A target is a function of bytes that must neither panic, nor hang, nor touch memory that is not its
//! own, whatever the bytes are. `cargo xtask fuzz` gives them to libFuzzer under AddressSanitizer; the
//! tests of this crate give them the kept seeds and a bounded number of mutations, on any toolchain.

mod abi;
mod bytes;
mod e2e;
mod log;
mod manifest;
mod onnx_file;
mod rig;

pub use abi::abi;
pub use e2e::e2e;
pub use log::log;
pub use manifest::manifest;
pub use onnx_file::onnx_file;
pub use rig::rig;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; the seeds are in `seeds/NAME`.
pub const TARGETS: [Target; 6] = [
    ("abi", abi),
    ("manifest", manifest),
    ("rig", rig),
    ("log", log),
    ("e2e", e2e),
    ("onnx_file", onnx_file),
];
