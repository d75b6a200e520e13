//! The whole pipeline through its public interface, with a scripted network.

mod calibration;
mod frames;
mod history;
mod replay;
mod scripted_engine;
mod small_model;
mod trouble;
