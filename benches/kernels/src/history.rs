//! The feature queue: storing a map, and bringing all slots into the present ego frame.

use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_runtime::{
    EgoMotion, EgoMotionSource, EgoMotionSpec, FeatureQueue, Manifest, QueueSection, QueueStorage,
    Span, Stamp,
};
use nalgebra::{UnitQuaternion, Vector3};

use crate::Setup;
use crate::kernel::{Kernel, Work};

/// How the benchmarks store maps.
pub const STORAGES: [(&str, QueueStorage); 2] = [
    ("f16", QueueStorage::F16),
    (
        "u8",
        QueueStorage::U8 {
            scale: 1.0 / 32.0,
            zero_point: 128,
        },
    ),
];

/// A queue whose slots are all filled, and the motion since.
pub struct Filled {
    pub queue: FeatureQueue,
    pub motion: EgoMotion,
    pub now: Stamp,
}

impl Filled {
    /// Stores `maps`, the oldest first, one in each stride, while the vehicle goes `speed_mps` and
    /// turns by `yaw_rate_radps`.
    pub fn new(
        section: &QueueSection,
        maps: &[Vec<f32>],
        speed_mps: f64,
        yaw_rate_radps: f64,
    ) -> Setup<Self> {
        let mut queue = FeatureQueue::new(section)?;
        let mut motion = EgoMotion::new(EgoMotionSpec::new(EgoMotionSource::Poses))?;
        let stride = Span::from_seconds(section.stride_s);
        let start = Stamp::from_seconds(10.0);
        let now = start + stride * maps.len() as i64;
        let step = Span::from_milliseconds(20);
        let mut at = start;
        while at <= now {
            let pose = pose_after((at - start).seconds(), speed_mps, yaw_rate_radps);
            motion
                .push_pose(at, &pose)
                .map_err(|fault| format!("the motion is refused: {fault:?}"))?;
            at = at + step;
        }
        for (k, map) in maps.iter().enumerate() {
            queue.store(start + stride * k as i64, map)?;
        }
        Ok(Self { queue, motion, now })
    }
}

/// Where a vehicle is on its arc.
pub fn pose_after(seconds: f64, speed_mps: f64, yaw_rate_radps: f64) -> Pose<Odom, Ego> {
    let yaw = yaw_rate_radps * seconds;
    let (forward, left) = if yaw.abs() < 1e-9 {
        (speed_mps * seconds, 0.0)
    } else {
        let radius = speed_mps / yaw_rate_radps;
        (radius * yaw.sin(), radius * (1.0 - yaw.cos()))
    };
    Pose::new(
        UnitQuaternion::from_euler_angles(0.0, 0.0, yaw),
        Vector3::new(forward, left, 0.0),
    )
}

/// Values between −4 and 4, as a map of features has.
pub fn map(section: &QueueSection, seed: u32) -> Vec<f32> {
    let len = section.grid.cell_count() * section.channels as usize;
    (0..len as u32)
        .map(|k| {
            let noise = k.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 16;
            noise as f32 / 8192.0 - 4.0
        })
        .collect()
}

/// Storing and aligning, for each type of storage.
pub fn kernels(manifest: &Manifest) -> Vec<Kernel> {
    let Some(section) = manifest.queue() else {
        return Vec::new();
    };
    let storages = STORAGES.into_iter();
    storages
        .flat_map(|(name, storage)| {
            let section = QueueSection {
                storage,
                ..section.clone()
            };
            let same = section.clone();
            [
                Kernel::new(format!("align.{name}"), move || align(&section)),
                Kernel::new(format!("store.{name}"), move || store(&same)),
            ]
        })
        .collect()
}

fn align(section: &QueueSection) -> Setup<Work> {
    let maps: Vec<Vec<f32>> = (0..section.slots).map(|seed| map(section, seed)).collect();
    let Filled {
        mut queue,
        motion,
        now,
    } = Filled::new(section, &maps, 12.0, 0.15)?;
    let mut out = vec![0.0; queue.history_len()];
    let mut state = vec![[0.0; 2]; queue.slots()];
    Ok(Box::new(move || {
        queue
            .align_into(now, &motion, &mut out, &mut state)
            .expect("the lengths are the queue's own");
    }))
}

fn store(section: &QueueSection) -> Setup<Work> {
    let mut queue = FeatureQueue::new(section)?;
    let mut stamp = Stamp::from_seconds(1.0);
    let map = map(section, 9);
    Ok(Box::new(move || {
        stamp = stamp + Span::from_milliseconds(100);
        queue.store(stamp, &map).expect("the map is sound");
    }))
}
