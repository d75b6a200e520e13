//! What can be known of GPU and TensorRT without their libraries' interfaces.

use std::path::Path;

/// The GPU of this number by the driver's name for it, or else the board that it is a part of.
pub(super) fn gpu_name(device: i32) -> Option<String> {
    gpu_of_driver(Path::new("/proc/driver/nvidia/gpus"), device)
        .or_else(|| board(Path::new("/proc/device-tree/model")))
}

/// The driver's folders are named by bus address, which is the order of CUDA's numbers with
/// `CUDA_DEVICE_ORDER=PCI_BUS_ID`; where all GPUs are alike, the order does not matter.
fn gpu_of_driver(folder: &Path, device: i32) -> Option<String> {
    let mut gpus: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    gpus.sort();
    let gpu = gpus.get(usize::try_from(device).ok()?)?;
    let information = std::fs::read_to_string(gpu.join("information")).ok()?;
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("Model:"))?;
    Some(model.trim().to_owned())
}

fn board(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.trim_matches(['\0', '\n', ' ']).to_owned())
}

/// TensorRT's version by the file name of its library, once that is loaded into this process.
pub(super) fn tensorrt_version() -> Option<String> {
    version_in(&std::fs::read_to_string("/proc/self/maps").ok()?)
}

fn version_in(maps: &str) -> Option<String> {
    maps.lines().find_map(|line| {
        let (_, version) = line.rsplit_once("/libnvinfer.so.")?;
        let is_version = version.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_version.then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_of_the_library() {
        let maps = "7f00-7f10 r-xp 0 0:1 5 /usr/lib/libc.so.6\n\
                    7f20-7f30 r-xp 0 0:1 6 /usr/lib/libnvinfer.so.10.3.0\n";
        assert_eq!(version_in(maps).as_deref(), Some("10.3.0"));
        assert_eq!(version_in("7f00 /usr/lib/libnvinfer_plugin.so.10"), None);
    }

    #[test]
    fn gpus_are_numbered_by_their_bus() {
        let folder = std::env::temp_dir().join(format!("bevrt-gpus-{}", std::process::id()));
        for (bus, model) in [("0000:41:00.0", "B"), ("0000:01:00.0", "A")] {
            let gpu = folder.join(bus);
            std::fs::create_dir_all(&gpu).expect("writable");
            let text = format!("Model: \t\t GPU {model}\nIRQ: 5\n");
            std::fs::write(gpu.join("information"), text).expect("writable");
        }
        assert_eq!(gpu_of_driver(&folder, 0).as_deref(), Some("GPU A"));
        assert_eq!(gpu_of_driver(&folder, 1).as_deref(), Some("GPU B"));
        assert_eq!(gpu_of_driver(&folder, 2), None);
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}
