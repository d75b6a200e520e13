//! Variety that training adds to a drive: other mountings and lenses, lost cameras, odd colours.

use bevrt_calibration::{Camera, Intrinsics, Pose, Rig};
use bevrt_sim::Random;
use nalgebra::{UnitQuaternion, Vector3};

/// Largest turn of a camera about each axis, radians (1.5°).
const TURN_RAD: f64 = 0.026;
/// Largest shift of a camera along each axis, metres.
const SHIFT_M: f64 = 0.12;
/// Largest relative change of the focal length.
const FOCAL: f64 = 0.06;

/// Another vehicle of the same kind: every camera a little elsewhere, with another focal length. The calibration that
/// the network is given is the jittered one, so that it learns to trust the projection table.
pub fn jittered(rig: &Rig, random: &mut Random) -> Rig {
    let cameras = rig
        .cameras()
        .iter()
        .map(|camera| {
            let turn = UnitQuaternion::from_euler_angles(
                TURN_RAD * random.signed(),
                TURN_RAD * random.signed(),
                TURN_RAD * random.signed(),
            );
            let shift = Vector3::new(random.signed(), random.signed(), random.signed()) * SHIFT_M;
            let old = &camera.ego_from_cam;
            let lens = &camera.intrinsics;
            let scale = 1.0 + FOCAL * random.signed();
            let intrinsics = Intrinsics::new(
                [lens.fx() * scale, lens.fy() * scale],
                [lens.cx(), lens.cy()],
                [lens.width(), lens.height()],
                *lens.lens(),
            );
            Camera {
                name: camera.name.clone(),
                intrinsics: intrinsics.unwrap_or(camera.intrinsics),
                ego_from_cam: Pose::new(old.rotation() * turn, old.translation() + shift),
            }
        })
        .collect();
    Rig::new(cameras, rig.reference()).unwrap_or_else(|_| rig.clone())
}

/// Colour cast, contrast and brightness of one drive's cameras: `level * gain + offset` by channel.
#[derive(Clone, Copy, Debug)]
pub struct ColourCast {
    gain: [f32; 3],
    offset: f32,
}

impl ColourCast {
    /// Leaves levels as they are.
    pub const NONE: Self = Self {
        gain: [1.0; 3],
        offset: 0.0,
    };

    /// A cast as cheap cameras and old lenses give it.
    pub fn random(random: &mut Random) -> Self {
        let contrast = 1.0 + 0.15 * random.signed();
        let gain = std::array::from_fn(|_| (contrast * (1.0 + 0.06 * random.signed())) as f32);
        Self {
            gain,
            offset: (10.0 * random.signed()) as f32,
        }
    }

    /// Applies the cast to planar levels `[3, h, w]`.
    pub fn apply(&self, levels: &mut [u8]) {
        let plane = levels.len() / 3;
        for (channel, gain) in levels.chunks_exact_mut(plane).zip(self.gain) {
            let table: [u8; 256] = std::array::from_fn(|level| {
                ((level as f32 - 110.0) * gain + 110.0 + self.offset)
                    .round()
                    .clamp(0.0, 255.0) as u8
            });
            for level in channel {
                *level = table[usize::from(*level)];
            }
        }
    }
}
