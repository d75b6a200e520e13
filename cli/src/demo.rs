//! `bevrt demo`.

pub mod elements;
pub mod overlay;
