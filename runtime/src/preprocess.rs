//! From a camera image to the network's input in one pass: convert, crop, resize, normalise.
//!
//! The resize kernel is *area*: the level of an output pixel is the mean of the source pixels
//! that it covers, each weighted by the exact part that is covered. Source rows are read once, in
//! order; nothing but a few rows of sums is kept, and nothing is allocated after set-up. The
//! training path runs the same kernel ([`Preprocessor::run_levels_into`]).

use bevrt_calibration::PixelRect;

use crate::image::{self, ColourMatrix, ColourRange, ImageView, PixelFormat};
use crate::manifest::{ColourOrder, PreprocessSection, ResizeKernel};
use crate::simd::Simd;

mod area;
mod convert;
mod error;
mod reduce;

use area::AreaAxis;
use convert::{ChromaTerms, YuvCoefficients};
pub use error::{PreprocessError, PreprocessSetupError};

/// The part of a `width` x `height` source that the network sees.
///
/// The full width is kept, and the height that the network's aspect asks for: from
/// `crop_top` of the height on, or as far up as needed where the source is too low. A source lower
/// than even that keeps its full height and loses the same at both sides. Edges are whole pixels.
pub fn crop_for(spec: &PreprocessSection, width: u32, height: u32) -> PixelRect {
    let Crop {
        x,
        y,
        width,
        height,
    } = Crop::new(spec, width, height);
    let [x, y, width, height] = [x, y, width, height].map(f64::from);
    PixelRect {
        x,
        y,
        width,
        height,
    }
}

/// A rectangle of whole source pixels.
#[derive(Debug, Clone, Copy)]
struct Crop {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// Preprocessing of one camera, for one source size and format.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    spec: PreprocessSection,
    source_width: u32,
    source_height: u32,
    format: PixelFormat,
    crop: Crop,
    down: AreaAxis,
    along: Columns,
    /// Planes of sums: 3, or 1 for grey.
    channels: usize,
    /// Source levels of one row: `[channels][width]`; interleaved formats are read in place.
    levels: Vec<u8>,
    /// The source row that `levels` holds.
    levels_row: Option<usize>,
    chroma: Chroma,
    /// Sums down the rows: `[channels][width]`, padded; `[width][3]` for interleaved formats.
    sums: Vec<i32>,
    /// Interleaved sums taken apart: `[3][width]`, padded.
    planar_sums: Vec<i32>,
    /// Sums of one output row and channel.
    totals: Vec<f32>,
    simd: Simd,
}

/// The horizontal half of the kernel.
#[derive(Debug, Clone)]
struct Columns {
    first: Vec<u32>,
    weights: Vec<f32>,
    taps: usize,
    /// The sum of the weights of an output pixel.
    total: u32,
}

/// Working rows of the formats with chroma.
#[derive(Debug, Clone)]
struct Chroma {
    terms: ChromaTerms,
    /// The chroma row that `terms` holds.
    terms_row: Option<usize>,
    luma: Vec<u8>,
    uv: Vec<u8>,
    meaning: (ColourMatrix, ColourRange),
    coefficients: YuvCoefficients,
}

impl Preprocessor {
    /// A preprocessor for sources of `width` x `height` pixels in `format`. Takes all its memory.
    ///
    /// # Errors
    /// [`PreprocessSetupError`] when the network's size or normalisation is impossible, or the
    /// source's size and format are.
    pub fn new(
        spec: &PreprocessSection,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, PreprocessSetupError> {
        error::check_spec(spec)?;
        let ResizeKernel::Area = spec.kernel;
        image::check_size(format, width, height).map_err(PreprocessSetupError::Source)?;
        let crop = Crop::new(spec, width, height);
        let channels = if format == PixelFormat::Grey { 1 } else { 3 };
        let along = Columns::new(&crop, spec.width);
        let row = width as usize;
        let padded = row + along.taps;
        let is_interleaved = matches!(format, PixelFormat::Rgb | PixelFormat::Bgr);
        Ok(Self {
            spec: *spec,
            source_width: width,
            source_height: height,
            format,
            crop,
            down: AreaAxis::new(crop.height, spec.height),
            along,
            channels,
            levels: vec![0; row * channels],
            levels_row: None,
            chroma: Chroma::new(row),
            sums: vec![0; padded * channels],
            planar_sums: vec![0; if is_interleaved { padded * channels } else { 0 }],
            totals: vec![0.0; spec.width as usize],
            simd: Simd::detect(),
        })
    }

    /// The part of the source that the network sees.
    pub fn crop(&self) -> PixelRect {
        crop_for(&self.spec, self.source_width, self.source_height)
    }

    /// What the network expects.
    pub fn spec(&self) -> &PreprocessSection {
        &self.spec
    }

    /// Values of one output image: 3 · height · width.
    pub fn output_len(&self) -> usize {
        self.plane_len() * 3
    }

    /// Writes the network's input for `image`: `[3, height, width]`, planes in the spec's colour
    /// order, value = (level − mean) / std. A grey image fills all three planes.
    ///
    /// # Errors
    /// [`PreprocessError`] when the image or the output is not what this was made for.
    ///
    /// # Real-time
    /// Allocates nothing; time depends on the sizes alone.
    pub fn run_into(
        &mut self,
        image: &ImageView<'_>,
        out: &mut [f32],
    ) -> Result<(), PreprocessError> {
        let area = self.area();
        let gains = self
            .spec
            .std
            .map(|std| (1.0 / (area * f64::from(std))) as f32);
        let offsets = [0, 1, 2].map(|plane| -self.spec.mean[plane] / self.spec.std[plane]);
        self.run(image, out, |plane, total| {
            total * gains[plane] + offsets[plane]
        })
    }

    /// Writes the rounded levels that the network sees of `image`: `[3, height, width]`, planes in
    /// the spec's colour order. The training path's form of [`Self::run_into`].
    ///
    /// # Errors
    /// As [`Self::run_into`].
    pub fn run_levels_into(
        &mut self,
        image: &ImageView<'_>,
        out: &mut [u8],
    ) -> Result<(), PreprocessError> {
        let gain = (1.0 / self.area()) as f32;
        self.run(image, out, |_, total| (total * gain + 0.5) as u8)
    }

    /// Writes the input of a camera without an image: the mean level, which is 0 everywhere.
    ///
    /// # Errors
    /// [`PreprocessError::OutputLength`].
    pub fn fill_missing(&self, out: &mut [f32]) -> Result<(), PreprocessError> {
        if out.len() != self.output_len() {
            return Err(PreprocessError::OutputLength);
        }
        out.fill(0.0);
        Ok(())
    }

    fn plane_len(&self) -> usize {
        self.spec.width as usize * self.spec.height as usize
    }

    /// The weights of an output pixel, summed over both axes.
    fn area(&self) -> f64 {
        f64::from(self.down.total()) * f64::from(self.along.total)
    }

    fn run<T>(
        &mut self,
        image: &ImageView<'_>,
        out: &mut [T],
        finish: impl Fn(usize, f32) -> T,
    ) -> Result<(), PreprocessError> {
        self.check(image, out.len())?;
        self.levels_row = None;
        self.chroma.begin(image);
        for row in 0..self.spec.height as usize {
            self.sum_rows(image, row);
            self.write_row(row, out, &finish);
        }
        Ok(())
    }

    fn check(&self, image: &ImageView<'_>, out_len: usize) -> Result<(), PreprocessError> {
        if image.format() != self.format {
            return Err(PreprocessError::SourceFormat);
        }
        if (image.width(), image.height()) != (self.source_width, self.source_height) {
            return Err(PreprocessError::SourceSize);
        }
        if out_len != self.output_len() {
            return Err(PreprocessError::OutputLength);
        }
        Ok(())
    }

    /// Sums the source rows under output row `row`, each with its weight.
    fn sum_rows(&mut self, image: &ImageView<'_>, row: usize) {
        let span = self.down.spans()[row];
        for k in span.first..span.end {
            // At most `ImageView::LONGEST_SIDE`, which fits.
            let weight = self.down.weight(&span, k) as i16;
            let source_row = self.crop.y as usize + k;
            if matches!(self.format, PixelFormat::Nv12 | PixelFormat::Yuyv) {
                self.convert_row(image, source_row);
            }
            let width = self.source_width as usize;
            let padded = width + self.along.taps;
            let add = if k == span.first {
                reduce::begin_sums
            } else {
                reduce::add_to_sums
            };
            match self.format {
                PixelFormat::Nv12 | PixelFormat::Yuyv => {
                    let planes = self.sums.chunks_exact_mut(padded);
                    for (levels, sums) in self.levels.chunks_exact(width).zip(planes) {
                        add(self.simd, levels, weight, sums);
                    }
                }
                PixelFormat::Rgb | PixelFormat::Bgr | PixelFormat::Grey => {
                    add(self.simd, image.row(source_row), weight, &mut self.sums);
                }
            }
        }
        if matches!(self.format, PixelFormat::Rgb | PixelFormat::Bgr) {
            let width = self.source_width as usize;
            let sums = &self.sums[..width * 3];
            reduce::deinterleave_sums(
                self.simd,
                sums,
                width + self.along.taps,
                &mut self.planar_sums,
            );
        }
    }

    /// Brings the levels of a row with chroma into `levels`, unless they are there already.
    fn convert_row(&mut self, image: &ImageView<'_>, row: usize) {
        if self.levels_row == Some(row) {
            return;
        }
        self.levels_row = Some(row);
        let Chroma {
            terms,
            terms_row,
            luma,
            uv,
            coefficients,
            ..
        } = &mut self.chroma;
        if self.format == PixelFormat::Yuyv {
            convert::unpack_yuyv_into(self.simd, image.row(row), luma, uv);
            convert::chroma_terms_into(self.simd, uv, coefficients, terms);
            convert::levels_into(self.simd, luma, coefficients, terms, &mut self.levels);
            return;
        }
        if *terms_row != Some(row / 2) {
            *terms_row = Some(row / 2);
            convert::chroma_terms_into(self.simd, image.chroma_row(row / 2), coefficients, terms);
        }
        convert::levels_into(
            self.simd,
            image.row(row),
            coefficients,
            terms,
            &mut self.levels,
        );
    }

    fn write_row<T>(&mut self, row: usize, out: &mut [T], finish: &impl Fn(usize, f32) -> T) {
        let width = self.spec.width as usize;
        let plane_len = self.plane_len();
        let padded = self.source_width as usize + self.along.taps;
        let sums = if self.planar_sums.is_empty() {
            &self.sums
        } else {
            &self.planar_sums
        };
        for plane in 0..3 {
            let channel = self.channel_of(plane);
            if plane == 0 || self.channels == 3 {
                let sums = &sums[channel * padded..(channel + 1) * padded];
                let Columns {
                    first,
                    weights,
                    taps,
                    ..
                } = &self.along;
                reduce::sum_columns(self.simd, sums, first, weights, *taps, &mut self.totals);
            }
            let begin = plane * plane_len + row * width;
            for (out, &total) in out[begin..begin + width].iter_mut().zip(&self.totals) {
                *out = finish(plane, total);
            }
        }
    }

    /// Which channel of the sums output plane `plane` shows.
    fn channel_of(&self, plane: usize) -> usize {
        // Sums are red, green, blue, but blue, green, red for a BGR source.
        let is_reversed =
            (self.format == PixelFormat::Bgr) != (self.spec.colour == ColourOrder::Bgr);
        match (self.channels, is_reversed) {
            (1, _) => 0,
            (_, false) => plane,
            (_, true) => 2 - plane,
        }
    }
}

impl Crop {
    fn new(spec: &PreprocessSection, width: u32, height: u32) -> Self {
        let aspect = f64::from(spec.height) / f64::from(spec.width);
        let wanted = (f64::from(width) * aspect).round() as u32;
        if wanted > height {
            let kept = ((f64::from(height) / aspect).round() as u32).clamp(1, width.max(1));
            return Self {
                x: (width - kept) / 2,
                y: 0,
                width: kept,
                height,
            };
        }
        let wanted = wanted.clamp(1, height.max(1));
        let top = (spec.crop_top * f64::from(height)).round() as u32;
        Self {
            x: 0,
            y: top.min(height - wanted),
            width,
            height: wanted,
        }
    }
}

impl Columns {
    fn new(crop: &Crop, width: u32) -> Self {
        let axis = AreaAxis::new(crop.width, width);
        let first = axis
            .spans()
            .iter()
            .map(|span| crop.x + span.first as u32)
            .collect();
        let (weights, taps) = (axis.padded_weights(), axis.padded_taps());
        Self {
            first,
            weights,
            taps,
            total: axis.total(),
        }
    }
}

impl Chroma {
    fn new(width: usize) -> Self {
        let meaning = (ColourMatrix::default(), ColourRange::default());
        Self {
            terms: ChromaTerms::new(width),
            terms_row: None,
            luma: vec![0; width],
            uv: vec![0; width],
            meaning,
            coefficients: YuvCoefficients::new(meaning.0, meaning.1),
        }
    }

    fn begin(&mut self, image: &ImageView<'_>) {
        self.terms_row = None;
        let meaning = (image.colour_matrix(), image.colour_range());
        if meaning != self.meaning {
            self.meaning = meaning;
            self.coefficients = YuvCoefficients::new(meaning.0, meaning.1);
        }
    }
}

#[cfg(test)]
mod tests;
