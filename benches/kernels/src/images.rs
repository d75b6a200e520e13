//! Preprocessing of one camera's picture, one kernel for each pixel format.

use std::rc::Rc;

use bevrt_runtime::{ImageView, Manifest, PixelFormat, Preprocessor};

use crate::kernel::Kernel;

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 900;
const FORMATS: [(PixelFormat, &str, usize); 5] = [
    (PixelFormat::Nv12, "nv12", 12),
    (PixelFormat::Yuyv, "yuyv", 16),
    (PixelFormat::Rgb, "rgb", 24),
    (PixelFormat::Bgr, "bgr", 24),
    (PixelFormat::Grey, "grey", 8),
];

/// The kernels, on a picture of bands and noise.
pub fn kernels(manifest: &Rc<Manifest>) -> Vec<Kernel> {
    let formats = FORMATS.into_iter();
    formats
        .map(|(format, name, bits)| {
            let manifest = Rc::clone(manifest);
            Kernel::new(format!("preprocess.{name}"), move || {
                let bytes = picture(WIDTH as usize * HEIGHT as usize * bits / 8);
                ImageView::packed(format, WIDTH, HEIGHT, &bytes)?;
                let mut preprocessor =
                    Preprocessor::new(manifest.preprocess(), WIDTH, HEIGHT, format)?;
                let mut out = vec![0.0; preprocessor.output_len()];
                Ok(Box::new(move || {
                    let image = ImageView::packed(format, WIDTH, HEIGHT, &bytes)
                        .expect("it was made once before");
                    preprocessor
                        .run_into(&image, &mut out)
                        .expect("image and output are what it was made for");
                }))
            })
        })
        .collect()
}

fn picture(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|k| (k / 97).wrapping_add(k.wrapping_mul(2_654_435_761) >> 28) as u8)
        .collect()
}
