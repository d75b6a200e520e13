//! Decoding of each head and tracking of all of them.

use std::rc::Rc;

use bevrt_runtime::{
    Detections, HeadDecoder, HeadForm, HeadKind, HeadOutput, HeadSection, Manifest, Span, Stamp,
    Tracker,
};

use crate::history::pose_after;
use crate::kernel::{Kernel, Work};
use crate::scene::{Load, output};

const LOADS: [(Load, &str); 3] = [
    (Load::Road, "road"),
    (Load::Full, "full"),
    (Load::Packed, "packed"),
];
/// Steps after which tracks are old enough to be remembered when they are not seen.
const TRACKED_STEPS: usize = 12;

/// Decoding, head by head, then tracking of what was found.
pub fn kernels(manifest: &Rc<Manifest>) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for (load, name) in LOADS {
        for section in manifest.heads() {
            let HeadForm::Dense { kind, .. } = section.form else {
                continue;
            };
            // Only lines are packed more closely than full.
            if load == Load::Packed && kind != HeadKind::Lanes {
                continue;
            }
            let section = section.clone();
            kernels.push(Kernel::new(format!("decode.{kind}.{name}"), move || {
                let mut decode = decoding(&section, load);
                let mut found = Box::new(Detections::default());
                Ok(Box::new(move || decode(&mut found)))
            }));
        }
        let manifest = Rc::clone(manifest);
        kernels.push(Kernel::new(format!("track.{name}"), move || {
            Ok(tracking(&manifest, load))
        }));
    }
    kernels
}

/// Decodes what a head of dense maps gives.
fn decoding(section: &HeadSection, load: Load) -> impl FnMut(&mut Detections) + use<> {
    let map = match section.form {
        HeadForm::Dense { kind, grid } => output(kind, &grid, load),
        HeadForm::ObjectQueries(_) | HeadForm::MapQueries(_) => Vec::new(),
    };
    let mut decoder = HeadDecoder::new(section);
    move |detections| {
        decoder
            .decode_into(HeadOutput::Map(&map), detections)
            .expect("the map is sound");
    }
}

/// A step among tracks that are some frames old; each frame a fifth of the elements is not found.
fn tracking(manifest: &Manifest, load: Load) -> Work {
    let mut detections = Box::new(Detections::default());
    for section in manifest.heads() {
        if matches!(section.form, HeadForm::Dense { .. }) {
            decoding(section, load)(&mut detections);
        }
    }
    let frames: Vec<Detections> = (0..5).map(|step| thinned(&detections, step)).collect();
    let mut tracker = Tracker::new(manifest);
    let mut step = 0;
    let mut advance = move || {
        let stamp = Stamp::from_seconds(5.0) + Span::from_milliseconds(100 * step as i64);
        // Slow enough for detections that stay in place in the ego frame to be the same things.
        let pose = pose_after(0.1 * step as f64, 1.0, 0.0);
        tracker.update(stamp, Some(&pose), &frames[step % frames.len()]);
        step += 1;
    };
    for _ in 0..TRACKED_STEPS {
        advance();
    }
    Box::new(advance)
}

/// All detections but every fifth, other ones in each step.
fn thinned(detections: &Detections, step: usize) -> Detections {
    let mut thinned = detections.clone();
    let mut place = step;
    let mut is_kept = || {
        place += 1;
        !place.is_multiple_of(5)
    };
    thinned.objects.retain(|_| is_kept());
    thinned.lanes.retain(|_| is_kept());
    thinned.arrows.retain(|_| is_kept());
    thinned.crosswalks.retain(|_| is_kept());
    thinned.stop_lines.retain(|_| is_kept());
    thinned
}
