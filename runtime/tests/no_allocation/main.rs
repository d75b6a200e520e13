//! Our stages take no memory from the heap once they stand, and the engine's run stays below a
//! recorded ceiling.
//!
//! In a program of its own: the counting allocator serves the whole process, by thread.

mod counting;
mod decode_and_track;
mod engine_run;
mod front;
mod steps;
mod trouble;

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../pipeline/matrix_model.rs"]
mod matrix_model;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../pipeline/scripted_engine.rs"]
mod scripted_engine;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../pipeline/small_model.rs"]
mod small_model;
