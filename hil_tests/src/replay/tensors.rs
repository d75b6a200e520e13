//! Tensors of a replay as `.npy` files, so that anyone can run the same network elsewhere.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bevrt_runtime::{Pipeline, RawTensor, RawValues};

/// Writes the network's inputs and outputs of the first frames of a replay.
///
/// `<folder>/frame_000/inputs/<name>.npy` and `<folder>/frame_000/outputs/<name>.npy`.
#[derive(Clone, Debug)]
pub struct TensorDump {
    folder: PathBuf,
    frames: usize,
    written: usize,
}

impl TensorDump {
    /// Dumps `frames` frames below `folder`.
    pub fn new(folder: impl Into<PathBuf>, frames: usize) -> Self {
        Self {
            folder: folder.into(),
            frames,
            written: 0,
        }
    }

    /// Frames written so far.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Writes the tensors of the pipeline's last frame, unless enough have been written.
    ///
    /// # Errors
    /// A file cannot be written, or the pipeline lacks a tensor.
    pub fn write(&mut self, pipeline: &mut Pipeline) -> io::Result<()> {
        if self.written == self.frames {
            return Ok(());
        }
        let folder = self.folder.join(format!("frame_{:03}", self.written));
        let (inputs, outputs) = (folder.join("inputs"), folder.join("outputs"));
        for folder in [&inputs, &outputs] {
            std::fs::create_dir_all(folder)?;
        }
        let mut result = Ok(());
        let mut write_in = |folder: &Path, tensor: &RawTensor<'_>| {
            if result.is_ok() {
                result = write_tensor(folder, tensor);
            }
        };
        pipeline
            .raw_inputs(|tensor| write_in(&inputs, &tensor))
            .and_then(|()| pipeline.raw_outputs(|tensor| write_in(&outputs, &tensor)))
            .map_err(io::Error::other)?;
        result?;
        self.written += 1;
        Ok(())
    }
}

fn write_tensor(folder: &Path, tensor: &RawTensor<'_>) -> io::Result<()> {
    let file = folder.join(format!("{}.npy", tensor.name));
    match tensor.values {
        RawValues::F32(values) => {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            write_npy(&file, "<f4", tensor.shape, &bytes)
        }
        RawValues::I32(values) => {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            write_npy(&file, "<i4", tensor.shape, &bytes)
        }
    }
}

/// Writes an array in numpy's format 1.0, rows first; `descr` is numpy's name of the element type.
///
/// # Errors
/// The file cannot be written.
pub fn write_npy(file: &Path, descr: &str, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
    const PREAMBLE: usize = 10;
    const ALIGNMENT: usize = 64;
    let sides: String = shape.iter().map(|side| format!("{side},")).collect();
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sides}), }}");
    let used = (PREAMBLE + header.len() + 1) % ALIGNMENT;
    header.push_str(&" ".repeat((ALIGNMENT - used) % ALIGNMENT));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(io::Error::other)?;
    let mut out = BufWriter::new(File::create(file)?);
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    out.write_all(bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_numpys() {
        let file = std::env::temp_dir().join(format!("bevrt_npy_{}.npy", std::process::id()));
        write_npy(&file, "<i4", &[2, 3], &[7; 24]).expect("the folder is writable");
        let bytes = std::fs::read(&file).expect("we wrote it");
        std::fs::remove_file(&file).expect("we wrote it");
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + header) % 64, 0);
        let text = std::str::from_utf8(&bytes[10..10 + header]).expect("it is ASCII");
        assert!(text.starts_with("{'descr': '<i4', 'fortran_order': False, 'shape': (2,3,), }"));
        assert!(text.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + header + 24);
    }
}
