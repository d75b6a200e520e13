//! A C++ program over the bridge of `bevrt-cxx`, callable from Rust, so that a test can hold its frames
//! against those of the Rust pipeline.

// The bridge's symbols are called from C++ alone.
use bevrt_cxx as _;

pub use bridge::replay;

/// What C++ gives.
#[cxx::bridge(namespace = "bevrt::program")]
pub mod bridge {
    unsafe extern "C++" {
        include!("bevrt-cxx-program/src/replay.h");

        /// Runs a drive that `bevrt dump` wrote through a package, and appends each frame's bytes to
        /// `frames` and what it holds to `text`. Gives the status that ended it.
        fn replay(package: &str, drive_path: &str, frames: &mut Vec<u8>, text: &mut String) -> i32;
    }
}
