//! Questions about depth: at feature cells, and whether a point is seen.

use super::{RenderedImage, View};
use nalgebra::Point3;

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

/// Whether a world point is inside the picture and no surface stands more than `tolerance_m` before it.
///
/// The four pixels around the point are asked and one that sees it is enough, so that points on edges and thin lines count.
pub fn is_point_visible(
    view: &View<'_>,
    point_in_world: &Point3<f64>,
    image: &RenderedImage,
    tolerance_m: f32,
) -> bool {
    let point_in_cam = view.world_from_cam.inverse_transform_point(point_in_world);
    let Some(pixel) = view.intrinsics.project_within(&point_in_cam) else {
        return false;
    };
    let distance = point_in_cam.coords.norm() as f32;
    let clamp = |x: f64, end: u32| x.clamp(0.0, f64::from(end - 1)) as usize;
    let columns = [pixel.x.floor(), pixel.x.floor() + 1.0].map(|x| clamp(x, image.width));
    let rows = [pixel.y.floor(), pixel.y.floor() + 1.0].map(|y| clamp(y, image.height));
    rows.into_iter().any(|row| {
        columns.into_iter().any(|column| {
            let depth = image.depth_m[row * image.width as usize + column];
            depth == 0.0 || depth + tolerance_m >= distance
        })
    })
}
