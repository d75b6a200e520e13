use std::io::Cursor;
use std::path::Path;

use super::GoldenError;
use crate::package::Package;

/// The largest picture that is read.
const LIMIT_BYTES: u64 = 256 << 20;

/// Reads an 8-bit RGB PNG of exactly this size, whose hash the manifest has.
pub(super) fn read_rgb(
    package: &Package,
    file: &Path,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, GoldenError> {
    let path = &package.folder().join(file);
    let read = |source: Box<dyn std::error::Error + Send + Sync>| GoldenError::Read {
        file: path.to_path_buf(),
        source,
    };
    let bytes = package.read_file(file, LIMIT_BYTES)?;
    let mut reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .map_err(|error| read(error.into()))?;
    let info = reader.info();
    let is_right = info.width == width
        && info.height == height
        && info.color_type == png::ColorType::Rgb
        && info.bit_depth == png::BitDepth::Eight;
    if !is_right {
        return Err(GoldenError::Field {
            file: path.to_path_buf(),
            field: "picture".into(),
            expected: format!("8-bit RGB of {width} x {height}"),
            found: format!(
                "{:?} {:?} of {} x {}",
                info.bit_depth, info.color_type, info.width, info.height
            ),
        });
    }
    let mut pixels = vec![0; width as usize * height as usize * 3];
    reader
        .next_frame(&mut pixels)
        .map_err(|error| read(error.into()))?;
    Ok(pixels)
}
