//! What a rig of cameras sees of a drive: pictures, and ground truth with its visibility.

use crate::render::{RenderedImage, Renderer, View};
use crate::scene::InstanceId;
use crate::{Drive, GroundTruth};
use bevrt_calibration::Rig;
use nalgebra::{Isometry3, Point3, Rotation2, Vector2};

/// A surface this much nearer than a point of the road hides it: metres plus a share of the distance, since the
/// reference point lies on paint and the depth is that of a pixel's centre.
const HIDING_M: f64 = 0.25;
/// See [`HIDING_M`].
const HIDING_SHARE: f64 = 0.04;

/// Renders the frame sets of a drive and judges what they show.
pub struct Observer {
    rig: Rig,
    renderer: Renderer,
    images: Vec<RenderedImage>,
    /// Area of a picture's pixel in pixels of the network's input, by camera.
    network_px_per_px: Vec<f32>,
}

impl Observer {
    /// Cameras of `rig` as they are calibrated; `network_width_px` is the width to which the full width of each picture
    /// is reduced for the network: ground truth counts pixels there.
    pub fn new(rig: Rig, network_width_px: u32, renderer: Renderer) -> Self {
        let network_px_per_px = rig
            .cameras()
            .iter()
            .map(|camera| (network_width_px as f32 / camera.intrinsics.width() as f32).powi(2))
            .collect();
        let images = vec![RenderedImage::default(); rig.cameras().len()];
        Self {
            rig,
            renderer,
            images,
            network_px_per_px,
        }
    }

    /// The rig in use.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// The pictures of the last [`Self::observe`], in the order of the rig.
    pub fn images(&self) -> &[RenderedImage] {
        &self.images
    }

    /// Renders all cameras for `t_s` seconds of the drive, which must have been made with this
    /// rig, each at the instant of its own exposure, and gives the ground truth at `t_s` with its
    /// visibility; what follows from the past is filled by a [`crate::VisibilityMemory`].
    pub fn observe(&mut self, drive: &Drive, t_s: f64) -> GroundTruth {
        let mut truth = drive.ground_truth(t_s);
        let times_s: Vec<_> = (0..self.images.len())
            .map(|camera| drive.camera_time(t_s, camera))
            .collect();
        let poses: Vec<_> = times_s
            .iter()
            .enumerate()
            .map(|(camera, &t_s)| *drive.camera_pose(t_s, camera).as_isometry())
            .collect();
        let views: Vec<_> = self
            .rig
            .cameras()
            .iter()
            .zip(&poses)
            .zip(0..)
            .map(|((camera, pose), index)| View {
                intrinsics: &camera.intrinsics,
                world_from_cam: *pose,
                camera: index,
                motion: None,
            })
            .collect();
        if times_s.iter().all(|&time_s| time_s == t_s) {
            self.renderer
                .render_set(&drive.scene_at(t_s), &views, &mut self.images);
        } else {
            for ((view, image), &t_s) in views.iter().zip(&mut self.images).zip(&times_s) {
                self.renderer.render(&drive.scene_at(t_s), view, image);
            }
        }
        self.judge(&mut truth, &poses);
        truth
    }

    fn judge(&self, truth: &mut GroundTruth, poses: &[Isometry3<f64>]) {
        for object in &mut truth.objects {
            let (mut visible, mut silhouette) = (0.0, 0.0);
            for (image, scale) in self.images.iter().zip(&self.network_px_per_px) {
                let id = InstanceId(object.id);
                visible += image.visibility.visible_px(id) * scale;
                silhouette += image.visibility.silhouette_px(id) * scale;
            }
            object.visible_px = visible;
            object.silhouette_px = silhouette;
            object.visible_fraction = if silhouette > 0.0 {
                (visible / silhouette).min(1.0)
            } else {
                0.0
            };
        }
        let cams_from_ego: Vec<_> = poses
            .iter()
            .map(|pose| pose.inverse() * truth.world_from_ego)
            .collect();
        let sees = |point_in_ego: &Point3<f64>| self.sees(point_in_ego, &cams_from_ego);
        for lane in &mut truth.lanes {
            for point in &mut lane.points {
                point.is_visible = sees(&point.position);
            }
        }
        for arrow in &mut truth.arrows {
            let turn = Rotation2::new(arrow.yaw);
            let samples = [-2.0, -1.0, 0.0, 1.0, 2.0]
                .map(|x| arrow.position + (turn * Vector2::new(x, 0.0)).push(0.0));
            arrow.visible_fraction = share(&samples, sees);
        }
        for crosswalk in &mut truth.crosswalks {
            let turn = Rotation2::new(crosswalk.theta);
            let mut samples = [crosswalk.centre; 15];
            for (i, sample) in samples.iter_mut().enumerate() {
                let along = ((i % 5) as f64 - 2.0) / 4.4 * crosswalk.length;
                let across = ((i / 5) as f64 - 1.0) / 2.4 * crosswalk.width;
                *sample += (turn * Vector2::new(along, across)).push(0.0);
            }
            crosswalk.visible_fraction = share(&samples, sees);
        }
        for line in &mut truth.stop_lines {
            let turn = Rotation2::new(line.theta);
            let samples = [-0.45, -0.22, 0.0, 0.22, 0.45].map(|share| {
                line.centre + (turn * Vector2::new(share * line.length, 0.0)).push(0.0)
            });
            line.visible_fraction = share(&samples, sees);
        }
    }

    /// Whether any camera sees a point of the ground: inside of the picture and not behind another surface.
    fn sees(&self, point_in_ego: &Point3<f64>, cams_from_ego: &[Isometry3<f64>]) -> bool {
        self.rig
            .cameras()
            .iter()
            .zip(cams_from_ego)
            .zip(&self.images)
            .any(|((camera, cam_from_ego), image)| {
                let point_in_cam = cam_from_ego * point_in_ego;
                let Some(pixel) = camera.intrinsics.project_within(&point_in_cam) else {
                    return false;
                };
                let column = (pixel.x.round() as usize).min(image.width as usize - 1);
                let row = (pixel.y.round() as usize).min(image.height as usize - 1);
                let surface_m = f64::from(image.depth_m[row * image.width as usize + column]);
                let distance_m = point_in_cam.coords.norm();
                surface_m == 0.0 || surface_m > distance_m * (1.0 - HIDING_SHARE) - HIDING_M
            })
    }
}

fn share(samples: &[Point3<f64>], sees: impl Fn(&Point3<f64>) -> bool) -> f32 {
    samples.iter().filter(|point| sees(point)).count() as f32 / samples.len() as f32
}
