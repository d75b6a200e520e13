//! Running a network: one trait, and ONNX Runtime behind it.
//!
//! An engine is made from a network and the [`NetworkInterface`] that the manifest and the rig
//! demand. Making it checks every input and output of the network, takes all memory, binds it and
//! runs a warm-up. After that a tensor is known by its role, not by its name.

mod beside;
mod calibration_inputs;
mod engine_cache;
mod error;
mod interface;
mod library;
mod map_ring;
mod network_history;
mod onnx_runtime;
mod onnx_writer;
mod provider;

#[cfg(test)]
pub(crate) mod conformance;

pub use beside::BesideThread;
pub(crate) use calibration_inputs::{write_lift, write_matrices, write_rays};
pub use engine_cache::{ENGINE_RECORD_FILE, EngineCacheError, EngineRecord};
pub use error::{EngineError, EngineLoadError};
pub use interface::{
    CAMERA_DIMENSION, ElementType, ImageSet, InputRole, InputSpec, NetworkInterface, Origin,
    OutputRole, OutputSpec,
};
pub use library::{LIBRARY_VARIABLE, LibraryError, OnnxRuntimeLibrary, SkippedLibrary};
pub use map_ring::MapRing;
pub(crate) use network_history::{HistoryError, NetworkHistory};
pub use onnx_runtime::{EngineOptions, Fallback, HistoryMemory, OnnxRuntime, Spinning};
pub use provider::{CudaOptions, MissingEngine, PluginOptions, Provider, TensorRtOptions};

use crate::threads::ThreadError;

/// A loaded network with its memory.
///
/// # Real-time
/// No method but [`Engine::run`] and those of a [`MapRing`] does more than hand out a slice. They
/// allocate only what the library behind them allocates by itself.
pub trait Engine: Send {
    /// What the network takes and gives, with all shapes fixed.
    fn interface(&self) -> &NetworkInterface;

    /// The provider that runs the network.
    fn provider(&self) -> &Provider;

    /// One of the two image inputs, `[cameras, 3, height, width]`, to write before [`Engine::run`].
    ///
    /// The two sets keep their contents, so one can be filled while results of the other are used.
    fn images_mut(&mut self, set: ImageSet) -> &mut [f32];

    /// An input of 32-bit floats other than the images.
    ///
    /// # Errors
    /// The network has no such input.
    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError>;

    /// An input of 32-bit integers: the indices of a projection table.
    ///
    /// # Errors
    /// The network has no such input.
    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError>;

    /// The ring in which past maps stay with the engine, where they do. The history is written by it
    /// then: [`InputRole::History`] is there to look at, and [`OutputRole::Bev`] only after
    /// [`MapRing::bring_map`]. An engine answers the same for as long as it lives.
    fn map_ring(&mut self) -> Option<&mut dyn MapRing>;

    /// Runs the network on this set of images and the other inputs as they stand.
    ///
    /// # Errors
    /// The provider failed; the outputs are undefined then.
    fn run(&mut self, images: ImageSet) -> Result<(), EngineError>;

    /// From now on [`Engine::start`] runs the network on this thread, or, with `None`, where it is
    /// called. So does an engine that cannot do otherwise, which is what one is that says nothing else.
    ///
    /// # Errors
    /// The thread cannot be had as asked for.
    fn run_beside(&mut self, thread: Option<BesideThread>) -> Result<(), ThreadError> {
        drop(thread);
        Ok(())
    }

    /// Starts a run on this set of images and the other inputs as they stand, if need be on the
    /// calling thread. Until it is finished the other set may be written; [`Engine::images_mut`] of
    /// this set waits for the end of the run, and so does writing any other input.
    ///
    /// # Errors
    /// As [`Engine::run`]; or a run was started and not finished.
    fn start(&mut self, images: ImageSet) -> Result<(), EngineError> {
        self.run(images)
    }

    /// Whether a run was started that goes on beside the caller, or whose end nobody has taken: the
    /// thread's `wake` tells the end. After a start that ran the network where it was called, it is
    /// not.
    fn is_running(&self) -> bool {
        false
    }

    /// Waits for the run that was started.
    ///
    /// # Errors
    /// The provider failed; the outputs are undefined then.
    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    /// An output of the last run.
    ///
    /// # Errors
    /// The network has no such output, it stays with the engine, or a run was started and not
    /// finished.
    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError>;

    /// What the last failed run said, for the log.
    fn last_failure(&self) -> Option<&str>;
}
