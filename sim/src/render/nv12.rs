//! Converts pictures to NV12, as camera drivers deliver them.

/// Which YCbCr matrix and range the planes use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum YuvMatrix {
    /// ITU-R BT.601, limited range (16–235): the default of USB and automotive cameras, and ours.
    #[default]
    Bt601Limited,
    /// ITU-R BT.709, limited range.
    Bt709Limited,
}

impl YuvMatrix {
    /// Weights of red and blue in luma.
    fn luma_weights(self) -> (f32, f32) {
        match self {
            Self::Bt601Limited => (0.299, 0.114),
            Self::Bt709Limited => (0.2126, 0.0722),
        }
    }
}

/// Bytes of an NV12 image without row padding.
pub fn nv12_len(width: u32, height: u32) -> usize {
    let (width, height) = (width as usize, height as usize);
    width * height + 2 * width.div_ceil(2) * height.div_ceil(2)
}

/// Writes `rgb` (3 bytes a pixel, row-major) as NV12: the luma plane, then interleaved Cb and Cr at half size, each from the
/// mean of 2×2 pixels, rounded to nearest.
///
/// # Panics
/// If `rgb` or `out` does not have the length of a `width` × `height` image ([`nv12_len`]).
pub fn rgb_to_nv12(rgb: &[u8], width: u32, height: u32, matrix: YuvMatrix, out: &mut [u8]) {
    let (width, height) = (width as usize, height as usize);
    assert_eq!(rgb.len(), 3 * width * height, "length of the RGB image");
    assert_eq!(
        out.len(),
        nv12_len(width as u32, height as u32),
        "length of the NV12 image"
    );
    let (kr, kb) = matrix.luma_weights();
    let fixed = |x: f32| (x * 65536.0).round() as i32;
    let (yr, yb) = (fixed(kr * 219.0 / 255.0), fixed(kb * 219.0 / 255.0));
    let yg = fixed(219.0 / 255.0) - yr - yb;
    let (luma, chroma) = out.split_at_mut(width * height);
    for (y, pixel) in luma.iter_mut().zip(rgb.chunks_exact(3)) {
        let sum = yr * i32::from(pixel[0]) + yg * i32::from(pixel[1]) + yb * i32::from(pixel[2]);
        *y = ((sum + (16 << 16) + 32768) >> 16) as u8;
    }
    let (cb_scale, cr_scale) = (112.0 / 255.0 / (1.0 - kb), 112.0 / 255.0 / (1.0 - kr));
    let (br, bb) = (fixed(-kr * cb_scale), fixed((1.0 - kb) * cb_scale));
    let bg = -br - bb;
    let (rr, rb) = (fixed((1.0 - kr) * cr_scale), fixed(-kb * cr_scale));
    let rg = -rr - rb;
    for (row, line) in chroma.chunks_exact_mut(2 * width.div_ceil(2)).enumerate() {
        let top = 2 * row * width;
        let bottom = (2 * row + 1).min(height - 1) * width;
        for (column, pair) in line.chunks_exact_mut(2).enumerate() {
            let (left, right) = (2 * column, (2 * column + 1).min(width - 1));
            let sum = |c: usize| {
                [top + left, top + right, bottom + left, bottom + right]
                    .map(|at| i32::from(rgb[3 * at + c]))
                    .iter()
                    .sum::<i32>()
            };
            let (r, g, b) = (sum(0), sum(1), sum(2));
            pair[0] = ((br * r + bg * g + bb * b + (128 << 18) + (1 << 17)) >> 18) as u8;
            pair[1] = ((rr * r + rg * g + rb * b + (128 << 18) + (1 << 17)) >> 18) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_colour(rgb: [u8; 3], matrix: YuvMatrix) -> [u8; 3] {
        let image: Vec<u8> = rgb.repeat(4);
        let mut out = [0; 6];
        rgb_to_nv12(&image, 2, 2, matrix, &mut out);
        [out[0], out[4], out[5]]
    }

    #[test]
    fn known_colours_have_the_levels_of_the_standard() {
        assert_eq!(
            of_colour([255; 3], YuvMatrix::Bt601Limited),
            [235, 128, 128]
        );
        assert_eq!(of_colour([0; 3], YuvMatrix::Bt601Limited), [16, 128, 128]);
        assert_eq!(
            of_colour([255, 0, 0], YuvMatrix::Bt601Limited),
            [81, 90, 240]
        );
        assert_eq!(
            of_colour([0, 0, 255], YuvMatrix::Bt601Limited),
            [41, 240, 110]
        );
        assert_eq!(
            of_colour([255, 0, 0], YuvMatrix::Bt709Limited),
            [63, 102, 240]
        );
    }

    #[test]
    fn odd_sizes_keep_their_last_row_and_column() {
        let rgb: Vec<u8> = (0..3 * 15).map(|i| i as u8 * 5).collect();
        let mut out = vec![0; nv12_len(5, 3)];
        rgb_to_nv12(&rgb, 5, 3, YuvMatrix::default(), &mut out);
        assert_eq!(out.len(), 15 + 2 * 3 * 2);
        assert!(out.iter().all(|&level| (16..=240).contains(&level)));
    }
}
