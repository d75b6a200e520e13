//! The sensor: exposure, lens shading, tone curve, noise, 8-bit levels.

use super::hash::{Stream, mix, mix2};
use super::shade::Radiance;
use super::simd::kernel;
use std::sync::OnceLock;

/// Length of the table of normal deviates; a power of two.
const DEVIATES: usize = 1 << 15;

/// How one image is developed.
pub(super) struct Sensor {
    pub(super) exposure: f32,
    pub(super) gain: f32,
    /// Sensor pixels that one pixel of this picture stands for, along one side; noise averages out with it.
    pub(super) binning: f32,
    /// Weight that a pixel's neighbours above and below and beside take from it, 0 to 0.25.
    pub(super) softness: f32,
    /// Seed of scene, frame and camera.
    pub(super) seed: u64,
}

struct RowNoise<'a> {
    deviates: [&'a [f32]; 3],
    shot: f32,
    read: f32,
}

/// Writes 8-bit levels of `radiance` into `rgb`; `scratch` holds one softened row.
pub(super) fn develop(
    radiance: &Radiance,
    sensor: &Sensor,
    blind: &[bool],
    scratch: &mut Vec<f32>,
    rgb: &mut [u8],
) {
    let (width, height) = (radiance.width, radiance.height);
    let table = deviates();
    let relative = 1.0 / sensor.binning.max(1.0);
    let shot = 1.1 * sensor.gain.max(0.0).sqrt() * relative;
    let read = 0.10 * sensor.gain.max(0.0) * relative;
    scratch.clear();
    scratch.resize(3 * width, 0.0);
    for row in 0..height {
        let hash = mix2(sensor.seed, row as u64);
        let start = |c: u32| (mix2(hash, u64::from(c)) as usize) & (DEVIATES - 1);
        let noise = RowNoise {
            deviates: [0, 1, 2].map(|c| &table[start(c)..start(c) + width]),
            shot,
            read,
        };
        let (red, rest) = scratch.split_at_mut(width);
        let (green, blue) = rest.split_at_mut(width);
        for (plane, line) in radiance.planes.iter().zip([&mut *red, green, blue]) {
            let at = |r: usize| &plane[r * width..(r + 1) * width];
            soften(
                at(row.saturating_sub(1)),
                at(row),
                at((row + 1).min(height - 1)),
                sensor.softness,
                line,
            );
        }
        let dy = (row as f32 + 0.5) / height as f32 - 0.5;
        let out = &mut rgb[3 * row * width..3 * (row + 1) * width];
        develop_row(
            [
                &scratch[..width],
                &scratch[width..2 * width],
                &scratch[2 * width..],
            ],
            &noise,
            sensor.exposure,
            dy * dy,
            out,
        );
    }
    for (pixel, _) in rgb
        .chunks_exact_mut(3)
        .zip(blind)
        .filter(|(_, is_blind)| **is_blind)
    {
        pixel.fill(0);
    }
}

kernel! {
    fn soften(above: &[f32], here: &[f32], below: &[f32], softness: f32, out: &mut [f32]) {
        let width = here.len();
        if softness <= 0.0 || width < 3 {
            out.copy_from_slice(here);
            return;
        }
        let (above, below, out) = (&above[..width], &below[..width], &mut out[..width]);
        let keep = 1.0 - 4.0 * softness;
        out[0] = here[0];
        out[width - 1] = here[width - 1];
        for i in 1..width - 1 {
            out[i] = keep * here[i] + softness * (above[i] + below[i] + here[i - 1] + here[i + 1]);
        }
    }
}

kernel! {
    fn develop_row(radiance: [&[f32]; 3], noise: &RowNoise<'_>, exposure: f32, dy_square: f32, out: &mut [u8]) {
        let width = radiance[0].len();
        let step = 1.0 / width as f32;
        let (red, green, blue) = (&radiance[0][..width], &radiance[1][..width], &radiance[2][..width]);
        let deviates = [&noise.deviates[0][..width], &noise.deviates[1][..width], &noise.deviates[2][..width]];
        let mut levels = [[0.0f32; 32]; 3];
        let mut first = 0;
        while first < width {
            let count = if width - first < 32 { width - first } else { 32 };
            for i in 0..count {
                let dx = ((first + i) as f32 + 0.5) * step - 0.5;
                let scale = exposure * (1.0 - 0.32 * (dx * dx + 0.6 * dy_square));
                let rgb = [red[first + i] * scale, green[first + i] * scale, blue[first + i] * scale];
                // Very bright lamps keep a hue: the excess of the peak is shared out among the channels.
                let peak = if rgb[0] > rgb[1] { rgb[0] } else { rgb[1] };
                let peak = if peak > rgb[2] { peak } else { rgb[2] };
                let excess = if peak > 4.0 { 4.0 / peak } else { 1.0 };
                for c in 0..3 {
                    let x = rgb[c] * excess * 1.15;
                    let above = if x > 0.6 { x - 0.6 } else { 0.0 };
                    let y = (x - above) + 0.4 * above / (above + 0.4);
                    let y = if y > 0.0 { y } else { 0.0 };
                    let s = y.sqrt();
                    let encoded = 1.39283 * s - 0.10080 * s.sqrt() - 0.36813 * y + 0.07771 * y * y;
                    // A little more contrast, as cameras add.
                    let curve = encoded + 0.55 * encoded * (1.0 - encoded) * (encoded - 0.42);
                    let sigma = noise.shot + noise.read / (s + 0.05);
                    levels[c][i] = curve * 255.0 + sigma * deviates[c][first + i] + 0.5;
                }
            }
            for i in 0..count {
                for c in 0..3 {
                    out[3 * (first + i) + c] = levels[c][i].clamp(0.0, 255.0) as u8;
                }
            }
            first += count;
        }
    }
}

/// Normal deviates, twice over so that any row up to [`DEVIATES`] wide is one slice.
fn deviates() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut stream = Stream::new(mix(0x5EED));
        // The sum of four uniforms is near enough to normal and needs no logarithm.
        let once: Vec<f32> = (0..DEVIATES)
            .map(|_| ((0..4).map(|_| stream.next()).sum::<f32>() - 2.0) * 1.732)
            .collect();
        once.repeat(2)
    })
}
