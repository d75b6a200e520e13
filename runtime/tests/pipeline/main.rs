//! The whole pipeline through its public interface, with a scripted network.

mod calibration;
mod families;
mod frames;
mod history;
mod matrix_model;
mod overlap;
mod replay;
mod ringed_engine;
mod scripted_engine;
mod small_model;
mod trouble;
