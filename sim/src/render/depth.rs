//! Whether a point is seen, by depth.

use super::{RenderedImage, View};
use nalgebra::Point3;

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
