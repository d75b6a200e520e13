//! Multi-task BEV perception pipeline.
// mod image; mod preprocess; mod sync; mod ego_motion; mod feature_queue; mod align;
// mod manifest; mod package; mod engine; mod golden; mod heads; mod tracking;
// mod frame; mod health; mod coverage; mod pipeline; mod stats; mod time;
