//! What can be wrong with an image.

use std::fmt;

use super::ImageView;

/// Why bytes are not the image that they are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageError {
    /// A side is zero or longer than [`ImageView::LONGEST_SIDE`].
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The format shares chroma between neighbours, so this side must be even.
    OddSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The number of planes is not that of the format.
    Planes {
        /// Planes of the format.
        expected: usize,
        /// Planes given.
        found: usize,
    },
    /// A stride is shorter than a row.
    Stride {
        /// The plane, from 0.
        plane: usize,
        /// Bytes of a row.
        least: usize,
        /// The stride given.
        found: usize,
    },
    /// A plane ends before its last row does, or its size does not fit into the address space.
    Length {
        /// The plane, from 0.
        plane: usize,
        /// Bytes that the rows take; `usize::MAX` when that overflows.
        least: usize,
        /// Bytes given.
        found: usize,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Size { width, height } => {
                let longest = ImageView::LONGEST_SIDE;
                write!(
                    f,
                    "image size {width}x{height}: sides must be 1 to {longest} pixels"
                )
            }
            Self::OddSize { width, height } => write!(
                f,
                "image size {width}x{height}: this format shares chroma, sides must be even"
            ),
            Self::Planes { expected, found } => {
                write!(f, "expected {expected} planes, found {found}")
            }
            Self::Stride {
                plane,
                least,
                found,
            } => {
                write!(
                    f,
                    "stride of plane {plane}: expected at least {least} bytes, found {found}"
                )
            }
            Self::Length {
                plane,
                least,
                found,
            } => {
                write!(
                    f,
                    "plane {plane}: expected at least {least} bytes, found {found}"
                )
            }
        }
    }
}

impl std::error::Error for ImageError {}
