//! What a picture shows at the cells of a feature map: the targets of networks that learn per feature.

use super::RenderedImage;

/// Depth at the cells of a feature map of `stride` pixels: the median of the distances in the middle half of each cell, or 0
/// where most of it is sky. Writes `(width / stride) × (height / stride)` values, row-major, metres.
///
/// # Panics
/// If `out` has another length.
pub fn depth_at_feature_cells(image: &RenderedImage, stride: u32, out: &mut [f32]) {
    let (columns, rows) = (
        (image.width / stride) as usize,
        (image.height / stride) as usize,
    );
    assert_eq!(out.len(), columns * rows, "one value a feature cell");
    let (stride, width) = (stride as usize, image.width as usize);
    let (first, count) = (stride / 4, (stride / 2).max(1));
    let mut values = Vec::with_capacity(count * count);
    for (cell, value) in out.iter_mut().enumerate() {
        let (x, y) = (
            cell % columns * stride + first,
            cell / columns * stride + first,
        );
        values.clear();
        for row in y..y + count {
            values.extend_from_slice(&image.depth_m[row * width + x..row * width + x + count]);
        }
        let sky = values.iter().filter(|&&depth| depth == 0.0).count();
        values.retain(|&depth| depth > 0.0);
        *value = if 2 * sky > count * count || values.is_empty() {
            0.0
        } else {
            let middle = values.len() / 2;
            *values.select_nth_unstable_by(middle, f32::total_cmp).1
        };
    }
}

/// What stands for "no object" in [`class_at_feature_cells`].
pub const NO_CLASS: u8 = u8::MAX;

/// Class at the cells of a feature map of `stride` pixels: that with the most pixels of a cell, if they fill a quarter of it,
/// or [`NO_CLASS`]. `class_of` knows the instances. Writes `(width / stride) × (height / stride)` values, row-major.
///
/// # Panics
/// If `out` has another length.
pub fn class_at_feature_cells(
    image: &RenderedImage,
    stride: u32,
    class_of: impl Fn(u32) -> Option<u8>,
    out: &mut [u8],
) {
    let (columns, rows) = (
        (image.width / stride) as usize,
        (image.height / stride) as usize,
    );
    assert_eq!(out.len(), columns * rows, "one value a feature cell");
    let (stride, width) = (stride as usize, image.width as usize);
    // Few objects meet in a cell: a short list of classes with their pixels.
    let mut counts: Vec<(u8, usize)> = Vec::new();
    for (cell, value) in out.iter_mut().enumerate() {
        let (x, y) = (cell % columns * stride, cell / columns * stride);
        counts.clear();
        for row in y..y + stride {
            for &instance in &image.instance[row * width + x..][..stride] {
                if instance == 0 {
                    continue;
                }
                let Some(class) = class_of(instance) else {
                    continue;
                };
                match counts.iter_mut().find(|(of, _)| *of == class) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((class, 1)),
                }
            }
        }
        *value = counts
            .iter()
            .filter(|(_, count)| 4 * count >= stride * stride)
            .max_by_key(|(_, count)| *count)
            .map_or(NO_CLASS, |(class, _)| *class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_with_most_pixels_of_a_cell_wins_if_it_fills_a_quarter() {
        let mut image = RenderedImage::default();
        image.resize(8, 4);
        // Left cell: four pixels of instance 7, five of 9. Right cell: three of 7, too few.
        for pixel in [0, 1, 8, 9] {
            image.instance[pixel] = 7;
        }
        for pixel in [2, 3, 10, 11, 18] {
            image.instance[pixel] = 9;
        }
        for pixel in [4, 5, 6] {
            image.instance[pixel] = 7;
        }
        let class_of = |instance| match instance {
            7 => Some(0),
            9 => Some(6),
            _ => None,
        };
        let mut out = [0; 2];
        class_at_feature_cells(&image, 4, class_of, &mut out);
        assert_eq!(out, [6, NO_CLASS]);
    }
}
