//! What an image shows: a fingerprint, to notice a camera whose picture stands still, and whether
//! it is nothing.

use crate::image::{ImageView, PixelFormat, Plane};
use crate::sync::ImageContent;

/// Every so many rows are read: sensor noise changes them all, a frozen picture none.
const ROW_STEP: usize = 8;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// In these rows, one of so many columns is looked at.
const COLUMN_STEP: usize = 8;
/// Levels of a bin of the histogram.
const BIN_LEVELS: usize = 8;
/// A picture with all but this share of its levels within two bins shows one tone. Simulated pictures
/// of all weathers, nights too, have at least 0.16 elsewhere.
const OTHER_TONES: f64 = 0.01;
/// Two neighbours' mean is off by this many levels in half of the places when noise with a
/// standard deviation of 20 levels is all that there is.
const NOISE_LEVELS: i32 = 16;
/// A picture with more places than this that differ so from their neighbours shows noise. Simulated
/// pictures have at most 0.12, in rain at the network's size.
const NOISY_SHARE: f64 = 0.5;

/// What an image shows.
pub(super) fn content(image: &ImageView<'_>) -> ImageContent {
    if Levels::of(image).show_nothing() {
        ImageContent::Blind
    } else {
        ImageContent::Fingerprint(fingerprint(image))
    }
}

/// Brightness of an image at some places, and how it differs from its neighbours.
struct Levels {
    places: u32,
    bins: [u32; 256 / BIN_LEVELS],
    /// Places that are far from the mean of their neighbours.
    odd: u32,
}

impl Levels {
    /// Brightness is Y, or G where there is none.
    fn of(image: &ImageView<'_>) -> Self {
        let mut levels = Self {
            places: 0,
            bins: [0; 256 / BIN_LEVELS],
            odd: 0,
        };
        let Some(plane) = image.planes().first() else {
            return levels;
        };
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (pixel_bytes, first) = match image.format() {
            PixelFormat::Nv12 | PixelFormat::Grey => (1, 0),
            PixelFormat::Yuyv => (2, 0),
            PixelFormat::Rgb | PixelFormat::Bgr => (3, 1),
        };
        for row in (0..height).step_by(ROW_STEP) {
            levels.add_row(
                plane_row(plane, row, width * pixel_bytes),
                pixel_bytes,
                first,
            );
        }
        levels
    }

    fn add_row(&mut self, row: &[u8], pixel_bytes: usize, first: usize) {
        for pixels in row.chunks_exact(COLUMN_STEP * pixel_bytes) {
            let level = |pixel: usize| i32::from(pixels[pixel * pixel_bytes + first]);
            let (before, here, after) = (level(0), level(1), level(2));
            self.places += 1;
            self.bins[here as usize / BIN_LEVELS] += 1;
            self.odd += u32::from((before + after - 2 * here).abs() > 2 * NOISE_LEVELS);
        }
    }

    fn show_nothing(&self) -> bool {
        let places = f64::from(self.places);
        let pairs = self.bins.windows(2).map(|pair| pair[0] + pair[1]);
        let most = pairs.max().map_or(0.0, f64::from);
        // Too small a picture tells nothing.
        self.places > 0
            && (most >= (1.0 - OTHER_TONES) * places || f64::from(self.odd) > NOISY_SHARE * places)
    }
}

/// A row without padding.
fn plane_row<'a>(plane: &Plane<'a>, row: usize, row_bytes: usize) -> &'a [u8] {
    let begin = row * plane.stride;
    plane.bytes.get(begin..begin + row_bytes).unwrap_or(&[])
}

/// A hash of an eighth of the rows of the first plane. Not meant to withstand an attacker.
pub(super) fn fingerprint(image: &ImageView<'_>) -> u64 {
    let planes = image.planes();
    let Some(plane) = planes.first() else {
        return 0;
    };
    let row_bytes = image.width() as usize
        * match image.format() {
            PixelFormat::Nv12 | PixelFormat::Grey => 1,
            PixelFormat::Yuyv => 2,
            PixelFormat::Rgb | PixelFormat::Bgr => 3,
        };
    let mut hash = [1_u64, 2, 3, 4];
    for row in (0..image.height() as usize).step_by(ROW_STEP) {
        mix_row(&mut hash, plane_row(plane, row, row_bytes));
    }
    hash.into_iter().fold(0, |all, lane| {
        (all ^ lane).wrapping_mul(MULTIPLIER).rotate_left(29)
    })
}

/// Four lanes of eight bytes, so that the multiplications overlap.
fn mix_row(hash: &mut [u64; 4], bytes: &[u8]) {
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in hash.iter_mut().zip(words) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
    }
    for &byte in rest {
        hash[0] = mix(hash[0], u64::from(byte));
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(bytes: &[u8]) -> ImageView<'_> {
        ImageView::packed(PixelFormat::Grey, 40, 16, bytes).expect("the size fits")
    }

    #[test]
    fn a_changed_level_changes_the_fingerprint() {
        let bytes = [7_u8; 40 * 16];
        let first = fingerprint(&grey(&bytes));
        assert_eq!(first, fingerprint(&grey(&bytes)));
        for place in [0, 31, 39, 8 * 40, 8 * 40 + 39] {
            let mut changed = bytes;
            changed[place] += 1;
            assert_ne!(first, fingerprint(&grey(&changed)), "{place}");
        }
    }

    #[test]
    fn levels_that_change_places_change_the_fingerprint() {
        let mut bytes = [7_u8; 40 * 16];
        bytes[3] = 9;
        let first = fingerprint(&grey(&bytes));
        bytes.swap(3, 11);
        assert_ne!(first, fingerprint(&grey(&bytes)));
        bytes.swap(11, 3);
        bytes.swap(3, 35);
        assert_ne!(first, fingerprint(&grey(&bytes)));
    }

    /// A picture of 64 × 32 levels that `level` gives for a place and a random number.
    fn shows(format: PixelFormat, level: impl Fn(i32, i32, i32) -> i32) -> bool {
        let mut random = 1_u64;
        let mut bytes = Vec::new();
        for row in 0..32 {
            for column in 0..64 {
                // The sum of four numbers of 0 to 255: about normal, with a deviation of 148.
                let mut noise = -512;
                for _ in 0..4 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    noise += (random >> 56) as i32;
                }
                let level = level(row, column, noise).clamp(0, 255) as u8;
                match format {
                    PixelFormat::Nv12 | PixelFormat::Grey => bytes.push(level),
                    PixelFormat::Yuyv => bytes.extend([level, 128]),
                    PixelFormat::Rgb | PixelFormat::Bgr => bytes.extend([90, level, 17]),
                }
            }
        }
        if format == PixelFormat::Nv12 {
            bytes.extend([128; 64 * 16]);
        }
        let image = ImageView::packed(format, 64, 32, &bytes).expect("the size fits");
        content(&image) != ImageContent::Blind
    }

    const FORMATS: [PixelFormat; 5] = [
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Grey,
    ];

    #[test]
    fn one_tone_shows_nothing_whatever_it_is_and_with_a_sensors_noise() {
        for format in FORMATS {
            for tone in [0, 16, 100, 235, 255] {
                assert!(!shows(format, |_, _, _| tone), "{format:?} {tone}");
                assert!(
                    !shows(format, |_, _, noise| tone + noise / 80),
                    "{format:?} {tone}"
                );
            }
        }
    }

    #[test]
    fn nothing_but_noise_shows_nothing() {
        for format in FORMATS {
            assert!(!shows(format, |_, _, noise| 128 + noise), "{format:?}");
            assert!(
                !shows(format, |row, _, noise| 4 * row + noise / 3),
                "{format:?}"
            );
        }
    }

    #[test]
    fn a_dim_street_a_bright_sky_and_noisy_shapes_show_something() {
        for format in FORMATS {
            // A few lamps in the dark.
            assert!(shows(format, |row, column, noise| {
                let is_lamp = row < 16 && column % 32 < 4;
                noise / 80 + if is_lamp { 90 } else { 8 }
            }));
            assert!(shows(format, |row, _, _| if row < 20 { 255 } else { 120 }));
            assert!(shows(format, |row, column, noise| 3 * row
                + column
                + noise / 12));
        }
    }
}
