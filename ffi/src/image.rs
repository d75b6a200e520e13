//! An image as the caller holds it, and samples of ego motion.

use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_runtime::{ColourMatrix, ColourRange, ImageView, PixelFormat, Plane, Stamp};

use crate::constants::{
    BEVRT_COLOUR_MATRIX_BT601, BEVRT_COLOUR_MATRIX_BT709, BEVRT_COLOUR_RANGE_FULL,
    BEVRT_COLOUR_RANGE_LIMITED, BEVRT_MEMORY_CUDA, BEVRT_MEMORY_DMABUF, BEVRT_MEMORY_HOST,
    BEVRT_PIXEL_FORMAT_BGR, BEVRT_PIXEL_FORMAT_GREY, BEVRT_PIXEL_FORMAT_NV12,
    BEVRT_PIXEL_FORMAT_RGB, BEVRT_PIXEL_FORMAT_YUYV,
};
use crate::plain::Plain;
use crate::settings::out_of_range;
use crate::status::{Failure, Status};

/// One plane of an image.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ImagePlane {
    /// The first row.
    pub data: *const u8,
    /// Readable bytes from `data` on.
    pub size_bytes: u64,
    /// Bytes from the start of a row to the start of the next.
    pub stride_bytes: u64,
}

/// An image of a camera. Its planes stay the caller's.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ImageBuffer {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Index of the camera in the rig.
    pub camera: u32,
    /// `BEVRT_PIXEL_FORMAT_`….
    pub pixel_format: i32,
    /// `BEVRT_COLOUR_MATRIX_`…; formats without chroma do not use it.
    pub colour_matrix: i32,
    /// `BEVRT_COLOUR_RANGE_`…; formats without chroma do not use it.
    pub colour_range: i32,
    /// `BEVRT_MEMORY_`….
    pub memory_type: i32,
    /// Width, that of the camera in the rig.
    pub width_px: u32,
    /// Height, that of the camera in the rig.
    pub height_px: u32,
    /// Valid entries of `planes`: 2 for NV12, else 1.
    pub plane_count: u32,
    /// Zero.
    pub reserved: u32,
    /// The planes. The last row of a plane may end at its last pixel.
    pub planes: [ImagePlane; 2],
    /// Middle of the exposure.
    pub stamp_ns: i64,
    /// When the image reached the caller, by the same clock.
    pub arrival_ns: i64,
}

// SAFETY: repr(C), begins with `struct_size`, sizes add up to the size (asserted), addresses and
// integers take every pattern of bits.
unsafe impl Plain for ImageBuffer {
    const FIRST_SIZE: usize = 104;
}

/// A pose of the vehicle in an odometry frame.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct EgoPoseSample {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// When the pose was true.
    pub stamp_ns: i64,
    /// When it reached the caller; a worker steps at it.
    pub arrival_ns: i64,
    /// Ego origin in the odometry frame, metres.
    pub translation_m: [f64; 3],
    /// Rotation from ego to odometry axes: w, x, y, z, of unit length to 1e-4.
    pub quaternion_wxyz: [f64; 4],
}

// SAFETY: as above.
unsafe impl Plain for EgoPoseSample {
    const FIRST_SIZE: usize = 80;
}

/// Speed and yaw rate of the vehicle, as a CAN bus carries them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct EgoRatesSample {
    /// Size of this struct at the caller, in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// When the values were true.
    pub stamp_ns: i64,
    /// When they reached the caller; a worker steps at it.
    pub arrival_ns: i64,
    /// Speed of the ego origin, backwards negative.
    pub speed_mps: f64,
    /// Yaw rate, to the left positive.
    pub yaw_rate_radps: f64,
}

// SAFETY: as above.
unsafe impl Plain for EgoRatesSample {
    const FIRST_SIZE: usize = 40;
}

const _: () = {
    assert!(size_of::<ImagePlane>() == 24);
    assert!(size_of::<ImageBuffer>() == 10 * 4 + 2 * 24 + 2 * 8);
    assert!(size_of::<EgoPoseSample>() == 8 + 2 * 8 + 7 * 8);
    assert!(size_of::<EgoRatesSample>() == 8 + 4 * 8);
};

impl ImageBuffer {
    /// The image, checked: kinds, sizes, strides.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for memory that the CPU does not read, [`Status::InvalidArgument`],
    /// [`Status::NullPointer`], [`Status::ImageLayout`].
    ///
    /// # Safety
    /// Each plane has `size_bytes` readable bytes, which nobody writes while the view lives.
    pub unsafe fn view<'a>(&self) -> Result<ImageView<'a>, Failure> {
        match self.memory_type {
            BEVRT_MEMORY_HOST => {}
            BEVRT_MEMORY_DMABUF | BEVRT_MEMORY_CUDA => return Err(Status::Unsupported.into()),
            other => return Err(out_of_range("memory_type", "0 to 2", other)),
        }
        let format = match self.pixel_format {
            BEVRT_PIXEL_FORMAT_NV12 => PixelFormat::Nv12,
            BEVRT_PIXEL_FORMAT_YUYV => PixelFormat::Yuyv,
            BEVRT_PIXEL_FORMAT_RGB => PixelFormat::Rgb,
            BEVRT_PIXEL_FORMAT_BGR => PixelFormat::Bgr,
            BEVRT_PIXEL_FORMAT_GREY => PixelFormat::Grey,
            other => return Err(out_of_range("pixel_format", "0 to 4", other)),
        };
        let matrix = match self.colour_matrix {
            BEVRT_COLOUR_MATRIX_BT601 => ColourMatrix::Bt601,
            BEVRT_COLOUR_MATRIX_BT709 => ColourMatrix::Bt709,
            other => return Err(out_of_range("colour_matrix", "0 or 1", other)),
        };
        let range = match self.colour_range {
            BEVRT_COLOUR_RANGE_LIMITED => ColourRange::Limited,
            BEVRT_COLOUR_RANGE_FULL => ColourRange::Full,
            other => return Err(out_of_range("colour_range", "0 or 1", other)),
        };
        let count = self.plane_count as usize;
        if count != format.planes() {
            let expected = format!("{} for this format", format.planes());
            return Err(out_of_range("plane_count", &expected, count));
        }
        let mut planes = [Plane {
            bytes: &[],
            stride: 0,
        }; 2];
        for (plane, from) in planes.iter_mut().zip(&self.planes[..count]) {
            // SAFETY: by the contract of this function.
            *plane = unsafe { from.plane() }?;
        }
        ImageView::new(format, self.width_px, self.height_px, &planes[..count])
            .map(|view| view.with_colour(matrix, range))
            .map_err(|error| Failure::new(Status::ImageLayout, error.to_string()))
    }

    /// Index of the camera.
    pub fn camera_index(&self) -> usize {
        self.camera as usize
    }

    /// Middle of the exposure.
    pub fn stamp(&self) -> Stamp {
        Stamp::from_nanoseconds(self.stamp_ns)
    }

    /// When the image reached the caller.
    pub fn arrival(&self) -> Stamp {
        Stamp::from_nanoseconds(self.arrival_ns)
    }
}

impl ImagePlane {
    /// # Safety
    /// `size_bytes` bytes are readable, and nobody writes them while the result lives.
    unsafe fn plane<'a>(&self) -> Result<Plane<'a>, Failure> {
        if self.data.is_null() {
            return Err(Status::NullPointer.into());
        }
        let layout = |expected: &str, found: u64| {
            let text = format!("{expected}, found {found}");
            Failure::new(Status::ImageLayout, text)
        };
        // No object is larger, and none goes around the end of the address space.
        let length = isize::try_from(self.size_bytes)
            .ok()
            .filter(|&length| self.data.addr().checked_add(length as usize).is_some())
            .ok_or_else(|| {
                layout(
                    "size_bytes: expected bytes that fit into memory",
                    self.size_bytes,
                )
            })?;
        let stride = usize::try_from(self.stride_bytes)
            .ok()
            .filter(|&stride| stride <= length as usize)
            .ok_or_else(|| {
                layout(
                    "stride_bytes: expected at most size_bytes",
                    self.stride_bytes,
                )
            })?;
        // SAFETY: the caller vouches for the bytes; the length is positive and does not wrap.
        let bytes = unsafe { std::slice::from_raw_parts(self.data, length as usize) };
        Ok(Plane { bytes, stride })
    }
}

impl EgoPoseSample {
    /// The pose.
    ///
    /// # Errors
    /// [`Status::MotionNotFinite`], [`Status::InvalidArgument`] for a quaternion that is none.
    pub fn odom_from_ego(&self) -> Result<Pose<Odom, Ego>, Failure> {
        let values = self.translation_m.iter().chain(&self.quaternion_wxyz);
        if values.into_iter().any(|value| !value.is_finite()) {
            return Err(Status::MotionNotFinite.into());
        }
        Pose::from_quaternion_wxyz(self.quaternion_wxyz, self.translation_m.into())
            .map_err(|error| Failure::new(Status::InvalidArgument, error.to_string()))
    }
}
