//! nuScenes: the detection scores, folders as they lie on a disk, and what we write.

mod bad_inputs;
mod detection;
mod devkit;
mod evaluation;
mod export;
mod folder;
mod small_folder;
