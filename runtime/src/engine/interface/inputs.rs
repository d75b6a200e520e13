use bevrt_calibration::RaySpec;

use super::{CAMERA_DIMENSION, ElementType, InputRole, InputSpec, Origin};
use crate::manifest::{LiftSection, Manifest, QueueAlignment, QueueSection};

/// The inputs in the order of the contract.
pub(super) fn of(manifest: &Manifest, cameras: usize) -> Vec<InputSpec> {
    let mut inputs = vec![images(manifest, cameras)];
    inputs.extend(manifest.rays().map(|rays| rays_input(rays, cameras)));
    for (place, section) in manifest.lifts().iter().enumerate() {
        inputs.extend(lift(place, section));
    }
    if manifest.matrices().is_some() {
        inputs.extend(matrices(cameras));
    }
    if let Some(queue) = manifest.queue() {
        inputs.extend(history(queue));
    }
    inputs
}

fn images(manifest: &Manifest, cameras: usize) -> InputSpec {
    let preprocess = manifest.preprocess();
    let (height, width) = (preprocess.height as usize, preprocess.width as usize);
    InputSpec {
        role: InputRole::Images,
        name: "images".into(),
        element: ElementType::F32,
        shape: vec![cameras, 3, height, width],
        origin: Origin::new("preprocess", &[CAMERA_DIMENSION, "", "height", "width"]),
    }
}

fn rays_input(rays: &RaySpec, cameras: usize) -> InputSpec {
    let (rows, cols) = (rays.feature_height as usize, rays.feature_width as usize);
    InputSpec {
        role: InputRole::Rays,
        name: "rays".into(),
        element: ElementType::F32,
        shape: vec![cameras, RaySpec::CHANNELS, rows, cols],
        origin: Origin::new("rays", &[CAMERA_DIMENSION, "", "stride", "stride"]),
    }
}

fn lift(place: usize, lift: &LiftSection) -> Vec<InputSpec> {
    let cells = lift.spec.grid.cell_count();
    let heights = lift.spec.heights_m.len();
    let voxels = cells * heights;
    let taps = voxels * lift.spec.taps as usize;
    let input = |suffix: &str, role, element, shape, dimensions: &[&'static str]| InputSpec {
        role,
        name: format!("{}_{suffix}", lift.name),
        element,
        shape,
        origin: Origin::new(format!("lift[{place}]"), dimensions),
    };
    let mut inputs = vec![input(
        "index",
        InputRole::LiftIndex(place),
        ElementType::I32,
        vec![taps],
        &["grid, heights_m, taps"],
    )];
    if lift.spec.taps > 1 {
        inputs.push(input(
            "weight",
            InputRole::LiftWeight(place),
            ElementType::F32,
            vec![taps],
            &["grid, heights_m, taps"],
        ));
    }
    if lift.spec.depth_bins.is_some() {
        inputs.push(input(
            "depth_index",
            InputRole::LiftDepthIndex(place),
            ElementType::I32,
            vec![voxels],
            &["grid, heights_m"],
        ));
    }
    if lift.geometry {
        inputs.push(input(
            "geometry",
            InputRole::LiftGeometry(place),
            ElementType::F32,
            vec![cells, heights * 4],
            &["grid", "heights_m"],
        ));
    }
    inputs
}

fn matrices(cameras: usize) -> [InputSpec; 3] {
    let input = |role, name: &str, rest: &[usize]| InputSpec {
        role,
        name: name.into(),
        element: ElementType::F32,
        shape: [&[cameras], rest].concat(),
        origin: Origin::new("matrices", &[CAMERA_DIMENSION]),
    };
    [
        input(InputRole::Intrinsics, "intrinsics", &[3, 3]),
        input(InputRole::EgoFromCam, "ego_from_cam", &[4, 4]),
        input(InputRole::CameraValid, "camera_valid", &[]),
    ]
}

fn history(queue: &QueueSection) -> Vec<InputSpec> {
    let (slots, channels) = (queue.slots as usize, queue.channels as usize);
    let (rows, cols) = (queue.grid.rows, queue.grid.cols);
    let input = |role, name: &str, shape, origin| InputSpec {
        role,
        name: name.into(),
        element: ElementType::F32,
        shape,
        origin,
    };
    let mut inputs = vec![
        input(
            InputRole::History,
            "history",
            vec![1, rows, cols, slots * channels],
            Origin::new("queue", &["", "grid.rows", "grid.cols", "slots, channels"]),
        ),
        input(
            InputRole::HistoryState,
            "history_state",
            vec![slots, 2],
            Origin::new("queue", &["slots"]),
        ),
    ];
    match queue.alignment {
        QueueAlignment::Runtime => {}
        QueueAlignment::Graph => inputs.push(input(
            InputRole::HistoryFromNow,
            "history_from_now",
            vec![slots, 3, 3],
            Origin::new("queue", &["slots"]),
        )),
    }
    inputs
}
