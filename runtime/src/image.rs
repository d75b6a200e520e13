//! Camera images as the caller holds them: borrowed planes with strides, checked once.
//!
//! An [`ImageView`] copies nothing. Its constructor proves that every row of every plane lies in
//! the given bytes, so the kernels that read it need no further checks of the caller's numbers.

mod error;

pub use error::ImageError;

/// How pixels lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// A plane of Y and a plane of interleaved U, V at half the width and height.
    Nv12,
    /// One plane of Y0 U Y1 V: chroma at half the width.
    Yuyv,
    /// One plane of R, G, B bytes.
    Rgb,
    /// One plane of B, G, R bytes.
    Bgr,
    /// One plane of grey levels.
    Grey,
}

impl PixelFormat {
    /// Number of planes: two for NV12, otherwise one.
    pub const fn planes(self) -> usize {
        match self {
            Self::Nv12 => 2,
            Self::Yuyv | Self::Rgb | Self::Bgr | Self::Grey => 1,
        }
    }

    /// Whether width and height must be even, in this order.
    const fn evenness(self) -> (bool, bool) {
        match self {
            Self::Nv12 => (true, true),
            Self::Yuyv => (true, false),
            Self::Rgb | Self::Bgr | Self::Grey => (false, false),
        }
    }

    /// Bytes of a row of plane `plane`, without padding.
    pub const fn row_bytes(self, width: usize) -> usize {
        match self {
            Self::Nv12 | Self::Grey => width,
            Self::Yuyv => width * 2,
            Self::Rgb | Self::Bgr => width * 3,
        }
    }

    /// Rows of plane `plane`.
    pub const fn rows(self, plane: usize, height: usize) -> usize {
        match (self, plane) {
            (Self::Nv12, 1) => height / 2,
            _ => height,
        }
    }
}

/// The matrix that takes Y, U, V to R, G, B. Formats without chroma do not use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColourMatrix {
    /// ITU-R BT.601, usual for standard definition and JPEG.
    #[default]
    Bt601,
    /// ITU-R BT.709, usual for high definition.
    Bt709,
}

/// The levels that black and white have in Y, U, V. Formats without chroma do not use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColourRange {
    /// Y 16 to 235, U and V 16 to 240.
    #[default]
    Limited,
    /// All levels from 0 to 255, as JPEG has them.
    Full,
}

/// One plane of an image.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes, row after row.
    pub bytes: &'a [u8],
    /// Bytes from the start of a row to the start of the next.
    pub stride: usize,
}

/// A borrowed image, checked against its bytes.
#[derive(Debug, Clone, Copy)]
pub struct ImageView<'a> {
    format: PixelFormat,
    width: u32,
    height: u32,
    matrix: ColourMatrix,
    range: ColourRange,
    planes: [Plane<'a>; 2],
}

impl<'a> ImageView<'a> {
    /// The longest side, in pixels.
    pub const LONGEST_SIDE: u32 = 16_384;

    /// A view of `planes`, which lie as `format` says. The colour matrix is BT.601 and the range
    /// limited until [`Self::with_colour`] says otherwise.
    ///
    /// The last row may end at its last pixel: its padding need not be there.
    ///
    /// # Errors
    /// [`ImageError`] when sides are zero, too long or odd where the format halves them, when
    /// planes are missing, or when a plane's bytes do not hold its rows.
    pub fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        planes: &[Plane<'a>],
    ) -> Result<Self, ImageError> {
        check_size(format, width, height)?;
        let (first, second) = match (format.planes(), planes) {
            (1, [only]) => (*only, *only),
            (2, [luma, chroma]) => (*luma, *chroma),
            (expected, _) => {
                let found = planes.len();
                return Err(ImageError::Planes { expected, found });
            }
        };
        for (index, plane) in planes.iter().enumerate() {
            check_plane(format, width, height, index, plane)?;
        }
        Ok(Self {
            format,
            width,
            height,
            matrix: ColourMatrix::default(),
            range: ColourRange::default(),
            planes: [first, second],
        })
    }

    /// A view of one plane without padding between rows (all formats but NV12), or of an NV12
    /// image whose chroma follows its luma at once.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn packed(
        format: PixelFormat,
        width: u32,
        height: u32,
        bytes: &'a [u8],
    ) -> Result<Self, ImageError> {
        check_size(format, width, height)?;
        let stride = format.row_bytes(width as usize);
        let whole = Plane { bytes, stride };
        if format != PixelFormat::Nv12 {
            return Self::new(format, width, height, &[whole]);
        }
        let luma_bytes = stride * height as usize;
        let (luma, chroma) = bytes
            .split_at_checked(luma_bytes)
            .ok_or(ImageError::Length {
                plane: 0,
                least: luma_bytes,
                found: bytes.len(),
            })?;
        let luma = Plane {
            bytes: luma,
            stride,
        };
        let chroma = Plane {
            bytes: chroma,
            stride,
        };
        Self::new(format, width, height, &[luma, chroma])
    }

    /// The same image with another meaning of its Y, U, V levels.
    #[must_use]
    pub const fn with_colour(mut self, matrix: ColourMatrix, range: ColourRange) -> Self {
        self.matrix = matrix;
        self.range = range;
        self
    }

    /// How the pixels lie in memory.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// Width in pixels.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The matrix from Y, U, V.
    pub const fn colour_matrix(&self) -> ColourMatrix {
        self.matrix
    }

    /// The range of Y, U, V.
    pub const fn colour_range(&self) -> ColourRange {
        self.range
    }

    /// The planes: one, or two for NV12.
    pub fn planes(&self) -> &[Plane<'a>] {
        self.planes
            .get(..self.format.planes())
            .unwrap_or(&self.planes)
    }

    /// Row `row` of the first plane, without padding. Empty beyond the last row.
    pub(crate) fn row(&self, row: usize) -> &'a [u8] {
        self.row_of(0, row)
    }

    /// Row `row` of the chroma plane of an NV12 image, without padding. Empty beyond the last.
    pub(crate) fn chroma_row(&self, row: usize) -> &'a [u8] {
        self.row_of(1, row)
    }

    fn row_of(&self, plane: usize, row: usize) -> &'a [u8] {
        let Plane { bytes, stride } = self.planes[plane];
        if row >= self.format.rows(plane, self.height as usize) {
            return &[];
        }
        let length = self.format.row_bytes(self.width as usize);
        bytes
            .get(row * stride..row * stride + length)
            .unwrap_or(&[])
    }
}

pub(crate) fn check_size(format: PixelFormat, width: u32, height: u32) -> Result<(), ImageError> {
    let sides = 1..=ImageView::LONGEST_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(ImageError::Size { width, height });
    }
    let (even_width, even_height) = format.evenness();
    if (even_width && !width.is_multiple_of(2)) || (even_height && !height.is_multiple_of(2)) {
        return Err(ImageError::OddSize { width, height });
    }
    Ok(())
}

fn check_plane(
    format: PixelFormat,
    width: u32,
    height: u32,
    index: usize,
    plane: &Plane<'_>,
) -> Result<(), ImageError> {
    let row_bytes = format.row_bytes(width as usize);
    if plane.stride < row_bytes {
        return Err(ImageError::Stride {
            plane: index,
            least: row_bytes,
            found: plane.stride,
        });
    }
    let rows = format.rows(index, height as usize);
    let least = (rows - 1)
        .checked_mul(plane.stride)
        .and_then(|bytes| bytes.checked_add(row_bytes))
        .unwrap_or(usize::MAX);
    if plane.bytes.len() < least {
        return Err(ImageError::Length {
            plane: index,
            least,
            found: plane.bytes.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_with_padding_give_rows_without_it() {
        let bytes: Vec<u8> = (0..24).collect();
        let plane = Plane {
            bytes: &bytes,
            stride: 8,
        };
        let image = ImageView::new(PixelFormat::Rgb, 2, 3, &[plane]).expect("a valid image");
        assert_eq!(image.row(1), &[8, 9, 10, 11, 12, 13]);
        assert_eq!(image.row(3), &[] as &[u8]);
        assert_eq!(image.planes().len(), 1);
    }

    #[test]
    fn the_last_row_may_lack_its_padding() {
        let bytes = [0u8; 8 * 2 + 6];
        let plane = Plane {
            bytes: &bytes,
            stride: 8,
        };
        assert!(ImageView::new(PixelFormat::Bgr, 2, 3, &[plane]).is_ok());
        let short = Plane {
            bytes: &bytes[..21],
            stride: 8,
        };
        let found = ImageView::new(PixelFormat::Bgr, 2, 3, &[short]).map(|_| ());
        assert_eq!(
            found,
            Err(ImageError::Length {
                plane: 0,
                least: 22,
                found: 21
            })
        );
    }

    #[test]
    fn packed_nv12_finds_its_chroma() {
        let bytes: Vec<u8> = (0..24).collect();
        let image = ImageView::packed(PixelFormat::Nv12, 4, 4, &bytes).expect("a valid image");
        assert_eq!(image.row(3), &[12, 13, 14, 15]);
        assert_eq!(image.chroma_row(1), &[20, 21, 22, 23]);
        assert_eq!(image.chroma_row(2), &[] as &[u8]);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        let bytes = [0u8; 64];
        let refused = |format, width, height| {
            ImageView::packed(format, width, height, &bytes)
                .map(|_| ())
                .expect_err("refused")
        };
        assert_eq!(
            refused(PixelFormat::Grey, 0, 4),
            ImageError::Size {
                width: 0,
                height: 4
            }
        );
        assert_eq!(
            refused(PixelFormat::Grey, 4, 16_385),
            ImageError::Size {
                width: 4,
                height: 16_385
            }
        );
        for (width, height) in [(3, 4), (4, 3)] {
            let expected = ImageError::OddSize { width, height };
            assert_eq!(refused(PixelFormat::Nv12, width, height), expected);
        }
        let expected = ImageError::OddSize {
            width: 3,
            height: 4,
        };
        assert_eq!(refused(PixelFormat::Yuyv, 3, 4), expected);
    }

    #[test]
    fn wrong_planes_and_strides_are_refused() {
        let bytes = [0u8; 64];
        let plane = Plane {
            bytes: &bytes,
            stride: 8,
        };
        let refused = |format, planes: &[Plane<'_>]| {
            ImageView::new(format, 8, 4, planes)
                .map(|_| ())
                .expect_err("refused")
        };
        let expected = ImageError::Planes {
            expected: 2,
            found: 1,
        };
        assert_eq!(refused(PixelFormat::Nv12, &[plane]), expected);
        let expected = ImageError::Stride {
            plane: 0,
            least: 16,
            found: 8,
        };
        assert_eq!(refused(PixelFormat::Yuyv, &[plane]), expected);
        let endless = Plane {
            bytes: &bytes,
            stride: usize::MAX,
        };
        let expected = ImageError::Length {
            plane: 0,
            least: usize::MAX,
            found: 64,
        };
        assert_eq!(refused(PixelFormat::Grey, &[endless]), expected);
    }
}
