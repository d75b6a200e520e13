use super::*;
use crate::image::{ImageError, Plane};

const SPEC: PreprocessSection = PreprocessSection {
    width: 352,
    height: 128,
    crop_top: 0.353333,
    kernel: ResizeKernel::Area,
    colour: ColourOrder::Rgb,
    mean: [127.5; 3],
    std: [64.0; 3],
};

/// A source and what OpenCV makes of it: see `tests/fixtures/preprocess/make.py`.
struct Fixture {
    format: PixelFormat,
    source: [u32; 2],
    output: [u32; 2],
    bytes: &'static [u8],
    levels: &'static [u8],
}

macro_rules! fixture {
    ($format:ident, $source:expr, $output:expr, $name:literal) => {
        Fixture {
            format: PixelFormat::$format,
            source: $source,
            output: $output,
            bytes: include_bytes!(concat!(
                "../../tests/fixtures/preprocess/",
                $name,
                ".source.bin"
            )),
            levels: include_bytes!(concat!(
                "../../tests/fixtures/preprocess/",
                $name,
                ".levels.bin"
            )),
        }
    };
}

fn fixtures() -> [Fixture; 4] {
    [
        fixture!(Nv12, [100, 64], [22, 8], "nv12_100x64_to_22x8"),
        fixture!(Nv12, [96, 64], [31, 13], "noise_96x64_to_31x13"),
        fixture!(Yuyv, [96, 64], [32, 16], "yuyv_96x64_to_32x16"),
        fixture!(Rgb, [97, 63], [37, 17], "rgb_97x63_to_37x17"),
    ]
}

impl Fixture {
    fn spec(&self) -> PreprocessSection {
        PreprocessSection {
            width: self.output[0],
            height: self.output[1],
            ..SPEC
        }
    }

    fn preprocessor(&self, spec: &PreprocessSection) -> Preprocessor {
        let [width, height] = self.source;
        Preprocessor::new(spec, width, height, self.format).expect("a valid specification")
    }

    fn image(&self) -> ImageView<'_> {
        let [width, height] = self.source;
        ImageView::packed(self.format, width, height, self.bytes).expect("a valid image")
    }

    fn levels_of(&self, simd: Simd) -> Vec<u8> {
        let mut preprocessor = self.preprocessor(&self.spec());
        preprocessor.simd = simd;
        let mut levels = vec![0; preprocessor.output_len()];
        preprocessor
            .run_levels_into(&self.image(), &mut levels)
            .expect("runs");
        levels
    }
}

#[test]
fn levels_agree_with_opencv() {
    let (mut pixels, mut beyond_one) = (0, 0);
    for fixture in fixtures() {
        let levels = fixture.levels_of(Simd::detect());
        assert_eq!(levels.len(), fixture.levels.len());
        for (&found, &expected) in levels.iter().zip(fixture.levels) {
            let difference = found.abs_diff(expected);
            assert!(
                difference <= 3,
                "{:?}: {found} instead of {expected}",
                fixture.format
            );
            pixels += 1;
            beyond_one += usize::from(difference > 1);
        }
    }
    assert!(
        beyond_one * 1000 <= pixels,
        "{beyond_one} of {pixels} differ by more than one level"
    );
}

#[test]
fn all_instruction_sets_give_the_same_bytes() {
    for fixture in fixtures() {
        let [widest, middle, base] = Simd::available().map(|simd| {
            let mut preprocessor = fixture.preprocessor(&fixture.spec());
            preprocessor.simd = simd;
            let mut out = vec![0.0_f32; preprocessor.output_len()];
            preprocessor
                .run_into(&fixture.image(), &mut out)
                .expect("runs");
            out.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        });
        assert_eq!(widest, middle, "{:?}", fixture.format);
        assert_eq!(middle, base, "{:?}", fixture.format);
        let [widest, middle, base] = Simd::available().map(|simd| fixture.levels_of(simd));
        assert_eq!(widest, middle, "{:?}", fixture.format);
        assert_eq!(middle, base, "{:?}", fixture.format);
    }
}

#[test]
fn values_are_normalised_levels() {
    let spec = PreprocessSection {
        mean: [100.0, 110.0, 120.0],
        std: [50.0, 60.0, 70.0],
        ..SPEC
    };
    for fixture in fixtures() {
        let spec = PreprocessSection {
            mean: spec.mean,
            std: spec.std,
            ..fixture.spec()
        };
        let mut preprocessor = fixture.preprocessor(&spec);
        let mut values = vec![0.0; preprocessor.output_len()];
        preprocessor
            .run_into(&fixture.image(), &mut values)
            .expect("runs");
        let levels = fixture.levels_of(Simd::Base);
        let plane = levels.len() / 3;
        for (index, (&value, &level)) in values.iter().zip(&levels).enumerate() {
            let (mean, std) = (spec.mean[index / plane], spec.std[index / plane]);
            let found = value * std + mean;
            assert!(
                (found - f32::from(level)).abs() <= 0.501,
                "{found} for level {level}"
            );
        }
    }
}

#[test]
fn a_network_that_wants_blue_first_gets_blue_first() {
    for fixture in fixtures() {
        let levels = fixture.levels_of(Simd::Base);
        let spec = PreprocessSection {
            colour: ColourOrder::Bgr,
            ..fixture.spec()
        };
        let mut preprocessor = fixture.preprocessor(&spec);
        let mut reversed = vec![0; levels.len()];
        preprocessor
            .run_levels_into(&fixture.image(), &mut reversed)
            .expect("runs");
        let plane = levels.len() / 3;
        assert_eq!(levels[..plane], reversed[2 * plane..]);
        assert_eq!(levels[plane..2 * plane], reversed[plane..2 * plane]);
        assert_eq!(levels[2 * plane..], reversed[..plane]);
    }
}

#[test]
fn bgr_bytes_give_the_same_input_as_rgb_bytes() {
    let [.., rgb] = fixtures();
    let reversed: Vec<u8> = rgb
        .bytes
        .chunks_exact(3)
        .flat_map(|p| [p[2], p[1], p[0]])
        .collect();
    let [width, height] = rgb.source;
    let image = ImageView::packed(PixelFormat::Bgr, width, height, &reversed).expect("valid");
    let mut preprocessor =
        Preprocessor::new(&rgb.spec(), width, height, PixelFormat::Bgr).expect("valid");
    let mut levels = vec![0; preprocessor.output_len()];
    preprocessor
        .run_levels_into(&image, &mut levels)
        .expect("runs");
    assert_eq!(levels, rgb.levels_of(Simd::Base));
}

#[test]
fn grey_fills_all_planes() {
    let bytes: Vec<u8> = (0..96 * 64).map(|i| (i * 31 % 251) as u8).collect();
    let image = ImageView::packed(PixelFormat::Grey, 96, 64, &bytes).expect("valid");
    let spec = PreprocessSection {
        width: 24,
        height: 8,
        ..SPEC
    };
    let mut preprocessor = Preprocessor::new(&spec, 96, 64, PixelFormat::Grey).expect("valid");
    let mut levels = vec![0; preprocessor.output_len()];
    preprocessor
        .run_levels_into(&image, &mut levels)
        .expect("runs");
    let (first, rest) = levels.split_at(24 * 8);
    assert_eq!([first, first].concat(), rest);
    // Blocks of 4 x 4 pixels from row 23 on (0.353333 of 64, rounded).
    let block: u32 = (0..4)
        .flat_map(|v| (0..4).map(move |u| (v, u)))
        .map(|(v, u)| u32::from(bytes[(23 + v) * 96 + u]))
        .sum();
    assert_eq!(u32::from(first[0]), (block + 8) / 16);
}

#[test]
fn strides_change_nothing() {
    let [nv12, ..] = fixtures();
    let [width, height] = nv12.source;
    let stride = width as usize + 28;
    let padded: Vec<u8> = nv12
        .bytes
        .chunks_exact(width as usize)
        .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(77, 28)))
        .collect();
    let (luma, chroma) = padded.split_at(stride * height as usize);
    let planes = [luma, chroma].map(|bytes| Plane { bytes, stride });
    let image = ImageView::new(PixelFormat::Nv12, width, height, &planes).expect("valid");
    let mut preprocessor = nv12.preprocessor(&nv12.spec());
    let mut levels = vec![0; preprocessor.output_len()];
    preprocessor
        .run_levels_into(&image, &mut levels)
        .expect("runs");
    assert_eq!(levels, nv12.levels_of(Simd::Base));
}

#[test]
fn the_same_size_copies_and_a_flat_image_stays_flat() {
    let spec = PreprocessSection {
        width: 8,
        height: 4,
        crop_top: 0.0,
        ..SPEC
    };
    let bytes: Vec<u8> = (0..8 * 4 * 3).map(|i| (i * 7 % 256) as u8).collect();
    let image = ImageView::packed(PixelFormat::Rgb, 8, 4, &bytes).expect("valid");
    let mut preprocessor = Preprocessor::new(&spec, 8, 4, PixelFormat::Rgb).expect("valid");
    let mut levels = vec![0; preprocessor.output_len()];
    preprocessor
        .run_levels_into(&image, &mut levels)
        .expect("runs");
    for (pixel, rgb) in bytes.chunks_exact(3).enumerate() {
        assert_eq!(rgb, [0, 1, 2].map(|plane| levels[plane * 32 + pixel]));
    }
    let flat = vec![200; 1600 * 900 * 3];
    let image = ImageView::packed(PixelFormat::Rgb, 1600, 900, &flat).expect("valid");
    let mut preprocessor = Preprocessor::new(&SPEC, 1600, 900, PixelFormat::Rgb).expect("valid");
    let mut values = vec![0.0; preprocessor.output_len()];
    preprocessor.run_into(&image, &mut values).expect("runs");
    let expected = (200.0 - 127.5) / 64.0;
    assert!(values.iter().all(|value| (value - expected).abs() < 1e-6));
}

#[test]
fn the_crop_keeps_the_width_and_the_networks_aspect() {
    let rect = |x, y, width, height| PixelRect {
        x,
        y,
        width,
        height,
    };
    assert_eq!(crop_for(&SPEC, 1600, 900), rect(0.0, 318.0, 1600.0, 582.0));
    // Twice the network's size, and a fisheye camera with another aspect.
    assert_eq!(crop_for(&SPEC, 704, 396), rect(0.0, 140.0, 704.0, 256.0));
    assert_eq!(crop_for(&SPEC, 1280, 960), rect(0.0, 339.0, 1280.0, 465.0));
    // Too low for the cut above: it shrinks, then the sides are cut.
    assert_eq!(crop_for(&SPEC, 1600, 700), rect(0.0, 118.0, 1600.0, 582.0));
    assert_eq!(crop_for(&SPEC, 1600, 320), rect(360.0, 0.0, 880.0, 320.0));
}

#[test]
fn a_source_smaller_than_the_network_is_enlarged() {
    let spec = PreprocessSection {
        width: 40,
        height: 20,
        crop_top: 0.0,
        ..SPEC
    };
    let bytes: Vec<u8> = (0..16 * 8).map(|i| i as u8).collect();
    let image = ImageView::packed(PixelFormat::Grey, 16, 8, &bytes).expect("valid");
    let mut preprocessor = Preprocessor::new(&spec, 16, 8, PixelFormat::Grey).expect("valid");
    let mut levels = vec![0; preprocessor.output_len()];
    preprocessor
        .run_levels_into(&image, &mut levels)
        .expect("runs");
    assert_eq!((levels[0], levels[799]), (0, 127));
}

#[test]
fn what_it_was_not_made_for_is_refused_and_leaves_the_output_alone() {
    let bytes = vec![9; 96 * 64 * 3];
    let spec = PreprocessSection {
        width: 24,
        height: 8,
        ..SPEC
    };
    let mut preprocessor = Preprocessor::new(&spec, 96, 64, PixelFormat::Rgb).expect("valid");
    let mut out = vec![5.0; preprocessor.output_len()];
    let mut run = |format, width, height, length: usize| {
        let image = ImageView::packed(format, width, height, &bytes).expect("valid");
        preprocessor.run_into(&image, &mut out[..length])
    };
    assert_eq!(
        run(PixelFormat::Bgr, 96, 64, 576),
        Err(PreprocessError::SourceFormat)
    );
    assert_eq!(
        run(PixelFormat::Rgb, 96, 62, 576),
        Err(PreprocessError::SourceSize)
    );
    assert_eq!(
        run(PixelFormat::Rgb, 96, 64, 575),
        Err(PreprocessError::OutputLength)
    );
    assert!(out.iter().all(|&value| value == 5.0));
    preprocessor
        .fill_missing(&mut out)
        .expect("the right length");
    assert!(out.iter().all(|&value| value == 0.0));
}

#[test]
fn impossible_specifications_are_refused() {
    let refused = |spec: PreprocessSection| {
        Preprocessor::new(&spec, 96, 64, PixelFormat::Nv12)
            .map(|_| ())
            .expect_err("refused")
    };
    let size = PreprocessSetupError::OutputSize {
        width: 0,
        height: 128,
    };
    assert_eq!(refused(PreprocessSection { width: 0, ..SPEC }), size);
    let crop = PreprocessSetupError::CropTop { found: 1.0 };
    assert_eq!(
        refused(PreprocessSection {
            crop_top: 1.0,
            ..SPEC
        }),
        crop
    );
    for (mean, std) in [
        (f32::NAN, 64.0),
        (127.5, 0.0),
        (127.5, -1.0),
        (127.5, f32::INFINITY),
    ] {
        let spec = PreprocessSection {
            mean: [1.0, mean, 1.0],
            std: [1.0, std, 1.0],
            ..SPEC
        };
        let found = refused(spec);
        assert!(
            matches!(found, PreprocessSetupError::Normalisation { plane: 1, .. }),
            "{found}"
        );
    }
    assert!(matches!(
        Preprocessor::new(&SPEC, 97, 64, PixelFormat::Nv12).map(|_| ()),
        Err(PreprocessSetupError::Source(ImageError::OddSize { .. }))
    ));
}
