//! Structs of `bevrt.h` that cross as they are.

use bevrt_runtime::OutputFrame;
use cxx::{ExternType, type_id};

/// `bevrt_frame_t`.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Frame(pub OutputFrame);

// SAFETY: the header is made from this struct, plain data in C's layout; the tests of `bevrt-ffi`
// hold sizes and offsets as a C compiler sees them.
unsafe impl ExternType for Frame {
    type Id = type_id!("bevrt_frame_t");
    type Kind = cxx::kind::Trivial;
}

/// `bevrt_stage_statistics_t`.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct StageStatistics(pub bevrt::StageStatistics);

// SAFETY: as above.
unsafe impl ExternType for StageStatistics {
    type Id = type_id!("bevrt_stage_statistics_t");
    type Kind = cxx::kind::Trivial;
}
