//! The structs of a caller, sound or not.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr;
use std::sync::LazyLock;

use bevrt::worker::WorkerSettings;
use bevrt::{
    CalibrationSource, EgoPoseSample, EgoRatesSample, ImageBuffer, ImagePlane, PipelineSettings,
};

use super::callbacks::{clock, framed};
use crate::bytes::Bytes;

/// Where addresses stand in the structs, from and until; those are chosen, not changed.
pub const SETTINGS_ADDRESSES: [(usize, usize); 2] = [(8, 56), (144, 192)];
pub const CALIBRATION_ADDRESSES: [(usize, usize); 1] = [(8, 24)];
pub const WORKER_ADDRESSES: [(usize, usize); 1] = [(8, 56)];
pub const IMAGE_ADDRESSES: [(usize, usize); 1] = [(40, 88)];

/// Folder of the package of the tests.
static PACKAGE: LazyLock<CString> = LazyLock::new(|| c_text(&fixture("")));
static RIG: LazyLock<CString> = LazyLock::new(|| c_text(&fixture("golden/case0/rig.toml")));
/// Pixels that live as long as the process and are never written.
static PIXELS: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..4096_u32).map(|at| ((at * 7919) >> 5) as u8).collect());

fn fixture(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/reduced");
    folder.join(file).display().to_string()
}

fn c_text(text: &str) -> CString {
    CString::new(text).expect("paths have no zero byte")
}

/// Options that make a pipeline as fast as can be.
pub fn sound_settings() -> PipelineSettings {
    PipelineSettings {
        package_path: PACKAGE.as_ptr(),
        rig_path: RIG.as_ptr(),
        intra_op_threads: 1,
        has_golden_check: 0,
        warm_up_runs: 0,
        ego_motion: 1,
        ..PipelineSettings::defaults()
    }
}

/// Options with texts of the input; `kept` must live as long as they are used.
pub fn settings(bytes: &mut Bytes<'_>, kept: &mut Vec<CString>) -> PipelineSettings {
    let mut settings = sound_settings();
    settings.ego_motion = i32::from(bytes.u8() % 2);
    for _ in 0..bytes.u8() % 3 {
        let text = text(bytes, kept);
        match bytes.u8() % 12 {
            0 => settings.package_path = text,
            1 => settings.rig_path = text,
            2 => settings.rig_text = text,
            3 => settings.onnxruntime_path = text,
            4 => settings.precision = text,
            5 => settings.trusted_keys = text,
            6 => settings.pool_cores = text,
            7 => settings.timing_cache_path = text,
            8 => settings.plugin_path = text,
            9 => settings.plugin_name = text,
            10 => settings.plugin_options = text,
            _ => settings.engine_cache_path = text,
        }
    }
    settings
}

/// A calibration: that of the package, or texts of the input.
pub fn calibration(bytes: &mut Bytes<'_>, kept: &mut Vec<CString>) -> CalibrationSource {
    let mut source = sound_calibration();
    match bytes.u8() % 4 {
        0 => source.rig_path = text(bytes, kept),
        1 => source.rig_text = text(bytes, kept),
        2 => {
            source.rig_path = ptr::null();
            source.rig_text = text(bytes, kept);
        }
        _ => {}
    }
    source
}

/// The calibration of the package.
pub fn sound_calibration() -> CalibrationSource {
    CalibrationSource {
        struct_size: size_of::<CalibrationSource>() as u32,
        reserved: 0,
        rig_path: RIG.as_ptr(),
        rig_text: ptr::null(),
    }
}

fn text(bytes: &mut Bytes<'_>, kept: &mut Vec<CString>) -> *const c_char {
    const WORDS: [&CStr; 6] = [c"", c"fp32", c"int8-cpu", c"/no/such", c"\xff\xfe", c"."];
    match bytes.u8() % 4 {
        0 => ptr::null(),
        1 => bytes.choice(WORDS).as_ptr(),
        _ => {
            let letters: Vec<u8> = bytes
                .slice(300)
                .iter()
                .copied()
                .filter(|&b| b != 0)
                .collect();
            kept.push(CString::new(letters).expect("zero bytes are gone"));
            kept.last().map_or(ptr::null(), |text| text.as_ptr())
        }
    }
}

/// An image of the first cameras, with planes that are there, or absurd.
pub fn image(bytes: &mut Bytes<'_>) -> ImageBuffer {
    let plane = |bytes: &mut Bytes<'_>, sound: u64| {
        let any = bytes.u64();
        ImagePlane {
            data: bytes.choice([
                PIXELS.as_ptr(),
                PIXELS.as_ptr(),
                PIXELS.as_ptr(),
                ptr::null(),
            ]),
            // Beyond what an address can reach, or what is there.
            size_bytes: bytes.choice([sound, sound, sound, 4096, 1, 0, u64::MAX, any | 1 << 63]),
            stride_bytes: bytes.choice([32, 32, 64, 96, 31, 0, u64::MAX, any]),
        }
    };
    let planes = [plane(bytes, 1536), plane(bytes, 256)];
    let stamp_ns = time(bytes);
    let [pixel_format, plane_count] =
        bytes.choice([[0, 2], [0, 2], [1, 1], [2, 1], [3, 1], [4, 1]]);
    ImageBuffer {
        struct_size: size_of::<ImageBuffer>() as u32,
        camera: u32::from(bytes.u8() % 3),
        pixel_format,
        colour_matrix: i32::from(bytes.u8() % 3),
        colour_range: i32::from(bytes.u8() % 3),
        memory_type: bytes.choice([0, 0, 0, 0, 1, 2, 3]),
        width_px: 32,
        height_px: 16,
        plane_count: plane_count as u32,
        reserved: 0,
        planes,
        stamp_ns,
        arrival_ns: stamp_ns.wrapping_add(bytes.choice([0, 20_000_000, i64::MAX, -1])),
    }
}

/// A pose.
pub fn pose(bytes: &mut Bytes<'_>) -> EgoPoseSample {
    let stamp_ns = time(bytes);
    EgoPoseSample {
        struct_size: size_of::<EgoPoseSample>() as u32,
        reserved: 0,
        stamp_ns,
        arrival_ns: stamp_ns,
        translation_m: [number(bytes), number(bytes), 0.0],
        quaternion_wxyz: [1.0, 0.0, 0.0, number(bytes) * 1e-9],
    }
}

/// Speed and yaw rate.
pub fn rates(bytes: &mut Bytes<'_>) -> EgoRatesSample {
    let stamp_ns = time(bytes);
    EgoRatesSample {
        struct_size: size_of::<EgoRatesSample>() as u32,
        reserved: 0,
        stamp_ns,
        arrival_ns: stamp_ns,
        speed_mps: number(bytes),
        yaw_rate_radps: number(bytes),
    }
}

/// Options of a worker, with cores that this machine may lack.
pub fn worker(bytes: &mut Bytes<'_>) -> WorkerSettings {
    let cores = [
        ptr::null(),
        c"0".as_ptr(),
        c"0-1".as_ptr(),
        c"4096".as_ptr(),
        c"x,".as_ptr(),
    ];
    WorkerSettings {
        struct_size: size_of::<WorkerSettings>() as u32,
        queue_capacity: bytes.choice([4, 4, 64, 1, 0, 4096, u32::MAX]),
        frame_callback: bytes.choice([None, Some(framed)]),
        frame_user_data: ptr::null_mut(),
        clock_callback: bytes.choice([None, Some(clock)]),
        clock_user_data: ptr::null_mut(),
        worker_cores: bytes.choice(cores),
        network_cores: bytes.choice(cores),
        worker_priority: bytes.choice([0, 0, 0, 100]),
        network_priority: bytes.choice([0, 0, 0, u32::MAX]),
        has_overlap: bytes.choice([0, 1, 2]),
        reserved: 0,
    }
}

/// A time: near the others, or anywhere.
pub fn time(bytes: &mut Bytes<'_>) -> i64 {
    let near = 1_000_000_000 + 10_000_000 * i64::from(bytes.u16());
    match bytes.u8() {
        0 => bytes.i64(),
        1 => bytes.choice([0, -1, i64::MAX, i64::MIN]),
        _ => near,
    }
}

fn number(bytes: &mut Bytes<'_>) -> f64 {
    match bytes.u8() {
        0 => f64::from_bits(bytes.u64()),
        byte => f64::from(byte) * 0.25,
    }
}
