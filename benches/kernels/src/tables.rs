//! Projection tables of the package's lifts, built anew for cameras with exposure skew.

use std::rc::Rc;

use bevrt_calibration::{NetworkCamera, Pose, ProjectionTable, Rig, rigs};
use bevrt_runtime::{Manifest, crop_for};
use nalgebra::{UnitQuaternion, Vector3};

use crate::kernel::Kernel;

/// A rig that ships.
type MakeRig = fn() -> Rig;

const RIGS: [(&str, MakeRig); 2] = [
    ("six_pinhole", rigs::six_pinhole),
    ("four_fisheye", rigs::four_fisheye),
];

/// One kernel for each lift and rig.
pub fn kernels(manifest: &Rc<Manifest>) -> Vec<Kernel> {
    let lifts = manifest.lifts().iter();
    lifts
        .flat_map(|lift| RIGS.into_iter().map(move |rig| (lift, rig)))
        .map(|(lift, (rig_name, rig))| {
            let spec = lift.spec.clone();
            let manifest = Rc::clone(manifest);
            Kernel::new(format!("table.{}.{rig_name}", lift.name), move || {
                let (spec, cameras) = (spec.clone(), cameras(&manifest, &rig()));
                let mut table = ProjectionTable::new(&spec, cameras.len());
                Ok(Box::new(move || table.rebuild(&spec, &cameras)))
            })
        })
        .collect()
}

/// Cameras that exposed one after the other while the vehicle went 15 m/s and turned slowly.
fn cameras(manifest: &Manifest, rig: &Rig) -> Vec<NetworkCamera> {
    let preprocess = manifest.preprocess();
    let cameras = rig.cameras().iter().enumerate();
    cameras
        .map(|(index, camera)| {
            let lens = &camera.intrinsics;
            let crop = crop_for(preprocess, lens.width(), lens.height());
            let mut camera = NetworkCamera::new(camera, crop, preprocess.width, preprocess.height);
            let skew_s = 0.002 * index as f64;
            camera.ego_at_reference_from_ego_at_camera = Pose::new(
                UnitQuaternion::from_euler_angles(0.0, 0.0, 0.2 * skew_s),
                Vector3::new(15.0 * skew_s, 0.0, 0.0),
            );
            camera
        })
        .collect()
}
