//! A fingerprint of an image, to notice a camera whose picture stands still.

use crate::image::{ImageView, PixelFormat};

/// Every so many rows are read: sensor noise changes them all, a frozen picture none.
const ROW_STEP: usize = 8;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

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
        let begin = row * plane.stride;
        let bytes = plane.bytes.get(begin..begin + row_bytes).unwrap_or(&[]);
        mix_row(&mut hash, bytes);
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
}
