//! Alignment of the whole queue against a plain copy of the bytes that it writes, in turn, and its
//! input for others: `benches/peers/align.py` runs other libraries on the same maps.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use bevrt_runtime::{GridAffine, Manifest, QueueSection, Span};
use serde_json::{Value, json};

use crate::Setup;
use crate::history::{Filled, STORAGES, map};

/// The vehicle turns, so that maps are read across their rows.
const SPEED_MPS: f64 = 12.0;
const YAW_RATE_RADPS: f64 = 0.15;

/// The queue of the package with another storage, and its maps, the oldest first.
fn filled(manifest: &Manifest, storage: &str) -> Setup<(QueueSection, Vec<Vec<f32>>, Filled)> {
    let (_, storage) = STORAGES
        .into_iter()
        .find(|(name, _)| *name == storage)
        .ok_or_else(|| format!("expected the storage f16 or u8, found `{storage}`"))?;
    let section = manifest.queue().ok_or("the package has no feature queue")?;
    let section = QueueSection {
        storage,
        ..section.clone()
    };
    let maps: Vec<Vec<f32>> = (0..section.slots).map(|seed| map(&section, seed)).collect();
    let filled = Filled::new(&section, &maps, SPEED_MPS, YAW_RATE_RADPS)?;
    Ok((section, maps, filled))
}

/// Milliseconds of each round: alignment, then a copy of as many bytes out of a buffer of that size.
pub fn times(manifest: &Manifest, storage: &str, rounds: usize) -> Setup<Value> {
    let (_, _, mut filled) = filled(manifest, storage)?;
    let mut out = vec![0.0_f32; filled.queue.history_len()];
    let source = vec![1.0_f32; out.len()];
    let mut state = vec![[0.0; 2]; filled.queue.slots()];
    let (mut align_ms, mut memcpy_ms) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begin = Instant::now();
        let Filled { queue, motion, now } = &mut filled;
        queue.align_into(*now, motion, black_box(&mut out), &mut state)?;
        align_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        let begin = Instant::now();
        black_box(&mut out).copy_from_slice(black_box(&source));
        memcpy_ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(json!({ "align_ms": align_ms, "memcpy_ms": memcpy_ms }))
}

/// Writes the maps, `[slots, rows, cols, channels]` with the youngest first, the history that is made
/// of them, `[rows, cols, slots, channels]`, and where each cell lies in the past maps.
pub fn write_input(manifest: &Manifest, storage: &str, folder: &Path) -> Setup<()> {
    let (section, maps, mut filled) = filled(manifest, storage)?;
    let mut out = vec![0.0; filled.queue.history_len()];
    let mut state = vec![[0.0; 2]; filled.queue.slots()];
    let Filled { queue, motion, now } = &mut filled;
    queue.align_into(*now, motion, &mut out, &mut state)?;
    let stride = Span::from_seconds(section.stride_s);
    let mut affines = Vec::new();
    for slot in 1..=i64::from(section.slots) {
        let past_from_now = motion
            .past_from_now(*now - stride * slot, *now)
            .map_err(|fault| format!("the motion is not known: {fault:?}"))?;
        let affine = GridAffine::new(&section.grid, &past_from_now);
        affines.push(json!({ "row": affine.row, "col": affine.col }));
    }
    std::fs::create_dir_all(folder)?;
    let youngest_first: Vec<f32> = maps.into_iter().rev().flatten().collect();
    std::fs::write(folder.join("maps.f32"), bytes(&youngest_first))?;
    std::fs::write(folder.join("aligned.f32"), bytes(&out))?;
    let shape = json!({
        "slots": section.slots,
        "rows": section.grid.rows,
        "cols": section.grid.cols,
        "channels": section.channels,
        "affines": affines,
    });
    std::fs::write(folder.join("align.json"), shape.to_string())?;
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
