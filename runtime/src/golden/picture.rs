use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::GoldenError;

/// Reads an 8-bit RGB PNG of exactly this size.
pub(super) fn read_rgb(path: &Path, width: u32, height: u32) -> Result<Vec<u8>, GoldenError> {
    let read = |source: Box<dyn std::error::Error + Send + Sync>| GoldenError::Read {
        file: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(|error| read(error.into()))?;
    let mut reader = png::Decoder::new(BufReader::new(file))
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
