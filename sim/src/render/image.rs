//! What the renderer gives: pictures with depth and identity, and how much of every object is seen.

use crate::scene::InstanceId;

/// A picture with its ground truth, row-major; the buffers are reused from call to call.
#[derive(Clone, Debug, Default)]
pub struct RenderedImage {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue levels as the camera would give them, 3 a pixel.
    pub rgb: Vec<u8>,
    /// Euclidean distance of the surface at the pixel's centre, metres; 0 where there is sky or no lens.
    pub depth_m: Vec<f32>,
    /// [`InstanceId`] of the surface that covers most of the pixel; 0 for the static world and the sky.
    pub instance: Vec<u32>,
    /// Pixels of every object in this picture.
    pub visibility: VisibilityCounts,
}

impl RenderedImage {
    pub(super) fn resize(&mut self, width: u32, height: u32) {
        (self.width, self.height) = (width, height);
        let pixels = width as usize * height as usize;
        self.rgb.resize(3 * pixels, 0);
        self.depth_m.resize(pixels, 0.0);
        self.instance.resize(pixels, 0);
    }
}

/// How much of each instance a picture shows, in pixels (fractions come from the samples within a pixel).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VisibilityCounts {
    silhouette: Vec<f32>,
    visible: Vec<f32>,
}

impl VisibilityCounts {
    /// Pixels that the object would cover inside of the picture if nothing stood before it.
    pub fn silhouette_px(&self, id: InstanceId) -> f32 {
        self.silhouette.get(id.0 as usize).copied().unwrap_or(0.0)
    }

    /// Pixels in which the object is seen.
    pub fn visible_px(&self, id: InstanceId) -> f32 {
        self.visible.get(id.0 as usize).copied().unwrap_or(0.0)
    }

    /// Seen part of the silhouette in [0, 1]; 0 if the object is not in the picture.
    pub fn visible_fraction(&self, id: InstanceId) -> f32 {
        let silhouette = self.silhouette_px(id);
        if silhouette > 0.0 {
            (self.visible_px(id) / silhouette).min(1.0)
        } else {
            0.0
        }
    }

    /// Visible pixels by instance id; index 0 (the static world) stays 0.
    pub fn visible(&self) -> &[f32] {
        &self.visible
    }

    /// Silhouette pixels by instance id; index 0 (the static world) stays 0.
    pub fn silhouette(&self) -> &[f32] {
        &self.silhouette
    }

    pub(super) fn reset(&mut self, top_id: u32) {
        for counts in [&mut self.silhouette, &mut self.visible] {
            counts.clear();
            counts.resize(top_id as usize + 1, 0.0);
        }
    }

    pub(super) fn add_silhouette(&mut self, id: u32, samples: f32) {
        self.silhouette[id as usize] += samples;
    }

    pub(super) fn add_visible(&mut self, id: u32, samples: f32) {
        self.visible[id as usize] += samples;
    }

    pub(super) fn samples_to_pixels(&mut self, samples_per_pixel: f32) {
        let scale = 1.0 / samples_per_pixel;
        self.silhouette
            .iter_mut()
            .chain(&mut self.visible)
            .for_each(|count| *count *= scale);
    }
}
