//! Messages of ROS 2 in CDR, as Foxglove's or ours.

use std::fmt;

use foxglove::bytes::Bytes;
use foxglove::messages::{
    CameraCalibration, CompressedImage, FrameTransform, Quaternion, Timestamp, Vector3,
};

use super::cdr::{CdrError, CdrReader};

/// Names of the schemas that are read.
pub mod schema {
    /// A picture in a compressed format.
    pub const COMPRESSED_IMAGE: &str = "sensor_msgs/msg/CompressedImage";
    /// A picture as pixels.
    pub const IMAGE: &str = "sensor_msgs/msg/Image";
    /// Intrinsics.
    pub const CAMERA_INFO: &str = "sensor_msgs/msg/CameraInfo";
    /// Transforms.
    pub const TRANSFORMS: &str = "tf2_msgs/msg/TFMessage";
    /// Pose and speeds.
    pub const ODOMETRY: &str = "nav_msgs/msg/Odometry";
    /// Speeds with a stamp.
    pub const TWIST_STAMPED: &str = "geometry_msgs/msg/TwistStamped";
    /// Speeds without a stamp.
    pub const TWIST: &str = "geometry_msgs/msg/Twist";
}

/// Numbers of a covariance.
const COVARIANCE: usize = 36;

/// Why a message is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosError {
    /// Its bytes are no message of its type.
    Cdr(CdrError),
    /// A picture's encoding is none that is known.
    Encoding(String),
    /// A picture has fewer bytes than its size demands.
    Pixels {
        /// Bytes of a row times rows.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
}

impl From<CdrError> for RosError {
    fn from(error: CdrError) -> Self {
        Self::Cdr(error)
    }
}

impl fmt::Display for RosError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cdr(error) => error.fmt(f),
            Self::Encoding(found) => write!(
                f,
                "expected pixels as rgb8, bgr8, rgba8, bgra8 or mono8, found {found:?}"
            ),
            Self::Pixels { expected, found } => {
                write!(f, "expected {expected} bytes of pixels, found {found}")
            }
        }
    }
}

impl std::error::Error for RosError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cdr(error) => Some(error),
            Self::Encoding(_) | Self::Pixels { .. } => None,
        }
    }
}

/// A picture as pixels, of which the rows may be padded.
pub struct RosImage<'a> {
    /// When it was exposed.
    pub stamp: Timestamp,
    /// Frame of its camera.
    pub frame_id: &'a str,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    encoding: &'a str,
    step: usize,
    data: &'a [u8],
}

/// What an odometry message tells.
pub struct RosOdometry {
    /// When it is true.
    pub stamp: Timestamp,
    /// Position in the odometry frame.
    pub position: Vector3,
    /// Orientation in it.
    pub orientation: Quaternion,
    /// Speeds in the vehicle's frame.
    pub twist: RosTwist,
}

/// Speed along the vehicle and turning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RosTwist {
    /// Along x of the vehicle.
    pub speed_mps: f64,
    /// About z, counter-clockwise positive.
    pub yaw_rate_radps: f64,
}

/// `sensor_msgs/msg/CompressedImage`. The format is `jpeg` where the text of ROS says so.
///
/// # Errors
/// The bytes are no such message, as everywhere here.
pub fn compressed_image(message: &[u8]) -> Result<CompressedImage, RosError> {
    let mut cdr = CdrReader::new(message)?;
    let (stamp, frame_id) = header(&mut cdr)?;
    let format = cdr.text()?;
    // image_transport writes "rgb8; jpeg compressed bgr8".
    let is_jpeg = format.contains("jpeg") || format.contains("jpg");
    Ok(CompressedImage {
        timestamp: Some(stamp),
        frame_id: frame_id.to_owned(),
        data: Bytes::copy_from_slice(cdr.bytes()?),
        format: if is_jpeg { "jpeg" } else { format }.to_owned(),
    })
}

/// `sensor_msgs/msg/Image`.
///
/// # Errors
/// See [`compressed_image`].
pub fn image(message: &[u8]) -> Result<RosImage<'_>, RosError> {
    let mut cdr = CdrReader::new(message)?;
    let (stamp, frame_id) = header(&mut cdr)?;
    let (height, width) = (cdr.u32()?, cdr.u32()?);
    let encoding = cdr.text()?;
    let _is_big_endian = cdr.u8()?;
    Ok(RosImage {
        stamp,
        frame_id,
        width,
        height,
        encoding,
        step: cdr.u32()? as usize,
        data: cdr.bytes()?,
    })
}

impl RosImage<'_> {
    /// Writes rows of R, G, B bytes.
    ///
    /// # Errors
    /// The encoding is not known, or there are too few bytes.
    pub fn write_rgb(&self, rgb: &mut Vec<u8>) -> Result<(), RosError> {
        let (channels, places) = match self.encoding {
            "rgb8" => (3, [0, 1, 2]),
            "bgr8" => (3, [2, 1, 0]),
            "rgba8" => (4, [0, 1, 2]),
            "bgra8" => (4, [2, 1, 0]),
            "mono8" | "8UC1" => (1, [0, 0, 0]),
            other => return Err(RosError::Encoding(other.to_owned())),
        };
        let row_bytes = (self.width as usize).saturating_mul(channels);
        let step = self.step.max(row_bytes);
        let expected = match self.height as usize {
            0 => 0,
            rows => (rows - 1).saturating_mul(step).saturating_add(row_bytes),
        };
        if self.data.len() < expected {
            let found = self.data.len();
            return Err(RosError::Pixels { expected, found });
        }
        rgb.clear();
        for row in 0..self.height as usize {
            let row = &self.data[row * step..row * step + row_bytes];
            for pixel in row.chunks_exact(channels) {
                rgb.extend(places.map(|place| pixel[place]));
            }
        }
        Ok(())
    }
}

/// `sensor_msgs/msg/CameraInfo`; `equidistant` is Foxglove's `kannala_brandt`.
///
/// # Errors
/// See [`compressed_image`].
pub fn camera_info(message: &[u8]) -> Result<CameraCalibration, RosError> {
    let mut cdr = CdrReader::new(message)?;
    let (stamp, frame_id) = header(&mut cdr)?;
    let (height, width) = (cdr.u32()?, cdr.u32()?);
    let model = match cdr.text()? {
        "equidistant" => "kannala_brandt",
        other => other,
    };
    let coefficients = cdr.u32()? as usize;
    Ok(CameraCalibration {
        timestamp: Some(stamp),
        frame_id: frame_id.to_owned(),
        width,
        height,
        distortion_model: model.to_owned(),
        d: cdr.f64s(coefficients)?,
        k: cdr.f64s(9)?,
        r: cdr.f64s(9)?,
        p: cdr.f64s(12)?,
    })
}

/// `tf2_msgs/msg/TFMessage`.
///
/// # Errors
/// See [`compressed_image`].
pub fn transforms(message: &[u8]) -> Result<Vec<FrameTransform>, RosError> {
    let mut cdr = CdrReader::new(message)?;
    let count = cdr.u32()?;
    // The count is a stranger's: no memory is taken for it ahead.
    let mut transforms = Vec::new();
    for _ in 0..count {
        let (stamp, parent) = header(&mut cdr)?;
        let child = cdr.text()?;
        transforms.push(FrameTransform {
            timestamp: Some(stamp),
            parent_frame_id: frame_name(parent).to_owned(),
            child_frame_id: frame_name(child).to_owned(),
            translation: Some(vector(&mut cdr)?),
            rotation: Some(quaternion(&mut cdr)?),
        });
    }
    Ok(transforms)
}

/// `nav_msgs/msg/Odometry`.
///
/// # Errors
/// See [`compressed_image`].
pub fn odometry(message: &[u8]) -> Result<RosOdometry, RosError> {
    let mut cdr = CdrReader::new(message)?;
    let (stamp, _) = header(&mut cdr)?;
    let _child = cdr.text()?;
    let (position, orientation) = (vector(&mut cdr)?, quaternion(&mut cdr)?);
    cdr.f64s(COVARIANCE)?;
    Ok(RosOdometry {
        stamp,
        position,
        orientation,
        twist: twist_of(&mut cdr)?,
    })
}

/// `geometry_msgs/msg/TwistStamped`.
///
/// # Errors
/// See [`compressed_image`].
pub fn twist_stamped(message: &[u8]) -> Result<(Timestamp, RosTwist), RosError> {
    let mut cdr = CdrReader::new(message)?;
    let (stamp, _) = header(&mut cdr)?;
    Ok((stamp, twist_of(&mut cdr)?))
}

/// `geometry_msgs/msg/Twist`.
///
/// # Errors
/// See [`compressed_image`].
pub fn twist(message: &[u8]) -> Result<RosTwist, RosError> {
    twist_of(&mut CdrReader::new(message)?)
}

fn twist_of(cdr: &mut CdrReader<'_>) -> Result<RosTwist, RosError> {
    let (linear, angular) = (vector(cdr)?, vector(cdr)?);
    Ok(RosTwist {
        speed_mps: linear.x,
        yaw_rate_radps: angular.z,
    })
}

fn header<'a>(cdr: &mut CdrReader<'a>) -> Result<(Timestamp, &'a str), RosError> {
    let (seconds, nanoseconds) = (cdr.i32()?, cdr.u32()?);
    let seconds = u32::try_from(seconds).unwrap_or(0);
    let stamp = Timestamp::new(seconds, nanoseconds.min(999_999_999));
    Ok((stamp, frame_name(cdr.text()?)))
}

/// Names of ROS 1 began with a slash.
fn frame_name(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

fn vector(cdr: &mut CdrReader<'_>) -> Result<Vector3, RosError> {
    let (x, y, z) = (cdr.f64()?, cdr.f64()?, cdr.f64()?);
    Ok(Vector3 { x, y, z })
}

fn quaternion(cdr: &mut CdrReader<'_>) -> Result<Quaternion, RosError> {
    let (x, y, z, w) = (cdr.f64()?, cdr.f64()?, cdr.f64()?, cdr.f64()?);
    Ok(Quaternion { x, y, z, w })
}
