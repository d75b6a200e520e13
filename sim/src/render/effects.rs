//! What happens between scene and sensor: glow of bright lamps, motion blur, rain.

use super::hash::{Stream, mix2};
use super::shade::Radiance;
use super::simd::kernel;

/// Side of a cell of the glow at full size, pixels.
const GLOW_CELL_PX: f32 = 8.0;

/// Pixels of the sensor for which the numbers of drops and streaks are meant.
const SENSOR_PX: f32 = 1600.0 * 900.0;
/// Largest side of a cell, pixels.
const MOST_PX: usize = 8;

/// Buffers of the effects, reused.
#[derive(Default)]
pub(super) struct Effects {
    glow: [Vec<f32>; 3],
    swap: Vec<f32>,
    copy: Vec<f32>,
}

impl Effects {
    /// Adds the light that lens and air scatter around whatever is brighter than white. `strength` grows with rain and fog.
    /// `scale` is this picture's width over that of the sensor.
    pub(super) fn add_glow(
        &mut self,
        radiance: &mut Radiance,
        white: f32,
        strength: f32,
        scale: f32,
    ) {
        let cell = ((GLOW_CELL_PX * scale).round() as usize).clamp(2, MOST_PX);
        let (width, height) = (radiance.width, radiance.height);
        let (columns, rows) = (width.div_ceil(cell), height.div_ceil(cell));
        let mut is_dark = true;
        for (cells, plane) in self.glow.iter_mut().zip(&radiance.planes) {
            cells.clear();
            cells.resize(columns * rows, 0.0);
            for (y, line) in plane.chunks_exact(width).enumerate() {
                let row = &mut cells[y / cell * columns..(y / cell + 1) * columns];
                is_dark &= !gather_row(line, white, cell, row);
            }
        }
        if is_dark {
            return;
        }
        let gain = strength / (cell * cell) as f32;
        for (cells, plane) in self.glow.iter_mut().zip(&mut radiance.planes) {
            for _ in 0..2 {
                blur(cells, &mut self.swap, columns, rows);
            }
            spread(
                cells,
                (columns, rows, cell),
                gain,
                plane,
                width,
                &mut self.swap,
            );
        }
    }

    /// Smears the picture along the movement of its points during the exposure.
    ///
    /// `flow` gives the movement in pixels of the block around a pixel.
    pub(super) fn blur_motion(
        &mut self,
        radiance: &mut Radiance,
        flow: impl Fn(usize, usize) -> [f32; 2],
    ) {
        const BLOCK: usize = 8;
        let (width, height) = (radiance.width, radiance.height);
        for plane in &mut radiance.planes {
            self.copy.clear();
            self.copy.extend_from_slice(plane);
            for by in (0..height).step_by(BLOCK) {
                for bx in (0..width).step_by(BLOCK) {
                    let middle = (
                        (bx + BLOCK / 2).min(width - 1),
                        (by + BLOCK / 2).min(height - 1),
                    );
                    let [fx, fy] = flow(middle.0, middle.1);
                    let length = fx.abs().max(fy.abs());
                    if length < 0.7 {
                        continue;
                    }
                    let taps = (length.ceil() as i32 + 1).clamp(3, 9);
                    for y in by..(by + BLOCK).min(height) {
                        for x in bx..(bx + BLOCK).min(width) {
                            plane[y * width + x] =
                                smear(&self.copy, (width, height), (x, y), [fx, fy], taps);
                        }
                    }
                }
            }
        }
    }

    /// Streaks of falling rain and drops on the lens. `scale` is this picture's width over that of the sensor.
    pub(super) fn add_rain(
        &mut self,
        radiance: &mut Radiance,
        rain: f32,
        brightness: f32,
        scale: f32,
        seeds: RainSeeds,
    ) {
        let mut stream = Stream::new(mix2(seeds.drops, 0xD0));
        let pixels = radiance.width as f32 * radiance.height as f32;
        let sensor_part = pixels / (scale * scale * SENSOR_PX);
        for _ in 0..(rain * 14.0 * sensor_part) as usize {
            self.add_drop(radiance, &mut stream, scale);
        }
        let (width, height) = (radiance.width as f32, radiance.height as f32);
        let mut stream = Stream::new(mix2(seeds.streaks, 0x5A));
        let lean = stream.range(-0.12, 0.12);
        for _ in 0..(rain * 420.0 * sensor_part) as usize {
            let (x, y) = (stream.next() * width, stream.next() * height);
            let near = stream.next();
            let length = (18.0 + 70.0 * near * near) * scale;
            let weight = stream.range(0.04, 0.14) * scale.min(1.0);
            add_streak(
                radiance,
                [x, y],
                [lean * length, length],
                brightness * weight,
            );
        }
    }

    /// A drop shows a blurred, upside-down picture of what lies behind it.
    fn add_drop(&mut self, radiance: &mut Radiance, stream: &mut Stream, scale: f32) {
        let (width, height) = (radiance.width, radiance.height);
        let (cx, cy) = (stream.next() * width as f32, stream.next() * height as f32);
        let radius = (stream.range(10.0, 34.0) * scale).max(1.5);
        let tall = stream.range(1.0, 1.35);
        let low = |c: f32, r: f32| (c - r).floor().max(0.0) as usize;
        let high = |c: f32, r: f32, end: usize| ((c + r).ceil().max(0.0) as usize).min(end);
        for plane in &mut radiance.planes {
            let (y0, y1) = (low(cy, 3.0 * radius), high(cy, 3.0 * radius, height));
            self.copy.resize(plane.len(), 0.0);
            self.copy[y0 * width..y1 * width].copy_from_slice(&plane[y0 * width..y1 * width]);
            for y in low(cy, radius * tall)..high(cy, radius * tall, height) {
                for x in low(cx, radius)..high(cx, radius, width) {
                    let (dx, dy) = ((x as f32 - cx) / radius, (y as f32 - cy) / (radius * tall));
                    let square = dx * dx + dy * dy;
                    if square >= 1.0 {
                        continue;
                    }
                    let bend = -2.4 * radius * (1.0 - 0.3 * square);
                    let source = smear(
                        &self.copy,
                        (width, height),
                        (x, y),
                        [radius * 0.9, radius * 0.9],
                        3,
                    );
                    let through =
                        lookup(&self.copy, (width, height), cx + dx * bend, cy + dy * bend);
                    let rim = 1.0 - 0.35 * square * square;
                    let cover = ((1.0 - square) * 3.0).min(1.0) * 0.85;
                    let old = plane[y * width + x];
                    plane[y * width + x] =
                        old + ((0.35 * source + 0.65 * through) * rim - old) * cover;
                }
            }
        }
    }
}

/// Seeds of rain: drops stay on the lens, streaks change with the frame.
#[derive(Clone, Copy)]
pub(super) struct RainSeeds {
    pub(super) drops: u64,
    pub(super) streaks: u64,
}

fn lookup(plane: &[f32], (width, height): (usize, usize), x: f32, y: f32) -> f32 {
    let column = (x.max(0.0) as usize).min(width - 1);
    let row = (y.max(0.0) as usize).min(height - 1);
    plane[row * width + column]
}

fn smear(
    plane: &[f32],
    size: (usize, usize),
    (x, y): (usize, usize),
    flow: [f32; 2],
    taps: i32,
) -> f32 {
    let mut sum = 0.0;
    for tap in 0..taps {
        let t = tap as f32 / (taps - 1) as f32 - 0.5;
        sum += lookup(
            plane,
            size,
            x as f32 + 0.5 + flow[0] * t,
            y as f32 + 0.5 + flow[1] * t,
        );
    }
    sum / taps as f32
}

fn add_streak(radiance: &mut Radiance, from: [f32; 2], along: [f32; 2], light: f32) {
    let (width, height) = (radiance.width, radiance.height);
    let steps = along[1].abs().ceil().max(1.0) as usize;
    for step in 0..steps {
        let t = (step as f32 + 0.5) / steps as f32;
        let (x, y) = (from[0] + along[0] * t, from[1] + along[1] * t);
        if x < 0.0 || y < 0.0 || x >= (width - 1) as f32 || y >= height as f32 {
            continue;
        }
        let column = x as usize;
        let part = x - column as f32;
        let fade = light * 4.0 * t * (1.0 - t);
        for plane in &mut radiance.planes {
            let at = y as usize * width + column;
            plane[at] += fade * (1.0 - part);
            plane[at + 1] += fade * part;
        }
    }
}

/// Binomial blur of 5 by 5 cells.
fn blur(cells: &mut [f32], swap: &mut Vec<f32>, columns: usize, rows: usize) {
    const WEIGHTS: [f32; 5] = [0.0625, 0.25, 0.375, 0.25, 0.0625];
    swap.clear();
    swap.resize(cells.len(), 0.0);
    let near = |at: usize, k: usize, end: usize| (at + k).saturating_sub(2).min(end - 1);
    for y in 0..rows {
        for x in 0..columns {
            swap[y * columns + x] = (0..5)
                .map(|k| WEIGHTS[k] * cells[y * columns + near(x, k, columns)])
                .sum();
        }
    }
    for y in 0..rows {
        for x in 0..columns {
            cells[y * columns + x] = (0..5)
                .map(|k| WEIGHTS[k] * swap[near(y, k, rows) * columns + x])
                .sum();
        }
    }
}

/// Adds bilinearly enlarged cells to a plane; `line` is scratch for one row of cells.
fn spread(
    cells: &[f32],
    (columns, rows, cell): (usize, usize, usize),
    gain: f32,
    plane: &mut [f32],
    width: usize,
    line: &mut Vec<f32>,
) {
    line.clear();
    line.resize(columns + 2, 0.0);
    for (y, pixels) in plane.chunks_exact_mut(width).enumerate() {
        let v = ((y as f32 + 0.5) / cell as f32 - 0.5).clamp(0.0, (rows - 1) as f32);
        let (above, below) = (v as usize, (v as usize + 1).min(rows - 1));
        let part = v - above as f32;
        for (x, value) in line[1..=columns].iter_mut().enumerate() {
            let (a, b) = (cells[above * columns + x], cells[below * columns + x]);
            *value = gain * (a + (b - a) * part);
        }
        (line[0], line[columns + 1]) = (line[1], line[columns]);
        spread_row(line, cell, pixels);
    }
}

kernel! {
    /// Adds a row of cells, padded by one on either side, to a row of pixels.
    fn spread_row(line: &[f32], side: usize, pixels: &mut [f32]) {
        let step = 1.0 / side as f32;
        for (cell, block) in pixels.chunks_mut(side).enumerate() {
            let (left, here, right) = (line[cell], line[cell + 1], line[cell + 2]);
            for (k, value) in block.iter_mut().enumerate() {
                let t = (k as f32 + 0.5) * step - 0.5;
                *value += here + if t < 0.0 { (here - left) * t } else { (right - here) * t };
            }
        }
    }
}

kernel! {
    /// Adds what is brighter than white in a row of pixels to a row of cells; tells whether there was any.
    fn gather_row(pixels: &[f32], white: f32, side: usize, cells: &mut [f32]) -> bool {
        let mut total = 0.0;
        for (cell, block) in cells.iter_mut().zip(pixels.chunks(side)) {
            let mut lanes = [0.0; MOST_PX];
            for (lane, &x) in lanes.iter_mut().zip(block) {
                *lane = (x - white).clamp(0.0, 8.0 * white);
            }
            let mut sum = 0.0;
            for lane in lanes {
                sum += lane;
            }
            *cell += sum;
            total += sum;
        }
        total > 0.0
    }
}
