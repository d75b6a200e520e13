//! Decoding and tracking against the number of objects in view, without a network.

use std::time::Instant;

use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_runtime::{
    Detections, HeadDecoder, HeadForm, HeadKind, HeadOutput, HeadSection, Manifest, Span, Stamp,
    Tracker,
};

use crate::error::BenchError;

/// Frames before the clock counts: tracks are born and confirmed.
const WARM_UP: usize = 10;
/// Logits of a cell with an object, and of one without.
const SEEN: f32 = 4.0;
const UNSEEN: f32 = -10.0;

/// What so many objects cost in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectsCost {
    /// Objects that the map shows.
    pub shown: usize,
    /// Objects that are tracked in the end.
    pub tracked: usize,
    /// Median time of decoding the object head, milliseconds.
    pub decode_ms: f64,
    /// Median time of tracking, milliseconds.
    pub track_ms: f64,
}

/// Times decoding and tracking of `shown` cars on the grid of the model's object head.
///
/// # Errors
/// The model has no dense object head, or its grid has no room for so many.
pub fn objects_cost(
    manifest: &Manifest,
    shown: usize,
    frames: usize,
) -> Result<ObjectsCost, BenchError> {
    let section = manifest.heads().iter().find(|head| is_object_map(head));
    let section =
        section.ok_or_else(|| BenchError::frames("a model with a dense object head", "none"))?;
    let map = map(section, shown)?;
    let mut decoder = HeadDecoder::new(section);
    let mut tracker = Box::new(Tracker::new(manifest));
    let mut detections = Box::<Detections>::default();
    let pose = Pose::<Odom, Ego>::identity();
    let (mut decode_ms, mut track_ms) = (Vec::new(), Vec::new());
    for frame in 0..WARM_UP + frames.max(1) {
        let stamp = Stamp::ZERO + Span::from_milliseconds(100 * frame as i64);
        detections.clear();
        let began = Instant::now();
        decoder
            .decode_into(HeadOutput::Map(&map), &mut detections)
            .map_err(|error| BenchError::frames("a map that decodes", error.to_string()))?;
        let decoded = Instant::now();
        tracker.update(stamp, Some(&pose), &detections);
        let tracked = Instant::now();
        if frame >= WARM_UP {
            decode_ms.push(1e3 * decoded.duration_since(began).as_secs_f64());
            track_ms.push(1e3 * tracked.duration_since(decoded).as_secs_f64());
        }
    }
    Ok(ObjectsCost {
        shown,
        tracked: tracker.tracks().objects.len(),
        decode_ms: median(&mut decode_ms),
        track_ms: median(&mut track_ms),
    })
}

fn is_object_map(head: &HeadSection) -> bool {
    matches!(
        head.form,
        HeadForm::Dense {
            kind: HeadKind::Objects,
            ..
        }
    )
}

/// Cars of 4.5 × 1.8 m, spread evenly over the grid.
fn map(section: &HeadSection, shown: usize) -> Result<Vec<f32>, BenchError> {
    let HeadForm::Dense { kind, grid } = &section.form else {
        return Err(BenchError::frames("a dense head", "another"));
    };
    let (rows, cols) = (grid.rows, grid.cols);
    let cells = rows * cols;
    let classes = kind.class_count();
    // At least 5 m from one to the next, so that no two are taken for one.
    let apart = (5.0 / grid.cell_m).ceil() as usize;
    let (down, across) = ((rows - 1) / apart, (cols - 1) / apart);
    if shown > down * across {
        return Err(BenchError::frames(
            format!("at most {} objects on this grid", down * across),
            shown.to_string(),
        ));
    }
    let mut map = vec![0.0; kind.channels() * cells];
    map[..classes * cells].fill(UNSEEN);
    for k in 0..shown {
        // Evenly over all places that there are.
        let place = k * (down * across) / shown;
        let cell = (place / across * apart + apart / 2) * cols + place % across * apart + apart / 2;
        map[cell] = SEEN;
        let mut set = |channel: usize, value: f32| map[(classes + channel) * cells + cell] = value;
        set(2, 0.8);
        set(3, 4.5_f32.ln());
        set(4, 1.8_f32.ln());
        set(5, 1.5_f32.ln());
        set(7, 1.0);
        (11..17).for_each(|channel| set(channel, 0.2_f32.ln()));
    }
    Ok(map)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn tiny() -> Manifest {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/packages/tiny/manifest.toml");
        Manifest::from_toml_file(&file).expect("it ships")
    }

    #[test]
    fn all_objects_that_are_shown_are_decoded_and_tracked() {
        for shown in [0, 1, 30] {
            let cost = objects_cost(&tiny(), shown, 3).expect("there is room");
            assert_eq!(cost.tracked, shown, "{cost:?}");
            assert!(cost.decode_ms >= 0.0 && cost.track_ms >= 0.0);
        }
    }

    #[test]
    fn more_objects_than_places_are_refused() {
        assert!(objects_cost(&tiny(), 1_000_000, 1).is_err());
    }
}
