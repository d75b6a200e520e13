//! Brings the ONNX Runtime library: an explicit path, the system's, else the pinned package from PyPI.

use crate::command::{self, CommandExt};
use std::path::{Path, PathBuf};

const VERSION: &str = "1.31.1";
/// Oldest minor release whose C API serves the runtime (`api-20` of the `ort` crate).
const OLDEST_MINOR: u32 = 20;

/// Platform tag and SHA-256 of the wheel.
const WHEELS: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "manylinux_2_28_x86_64",
        "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
    ),
    (
        "aarch64",
        "manylinux_2_28_aarch64",
        "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
    ),
];

const SYSTEM_FOLDERS: [&str; 5] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/onnxruntime/lib",
];

/// Unpacks one member of a wheel (a zip file): arguments are the wheel, the member and the target file.
const UNPACK: &str = "import sys, zipfile, shutil\n\
    with zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as s, open(sys.argv[3], 'wb') as t:\n\
    \x20   shutil.copyfileobj(s, t)\n";

/// The path of a usable library, brought if need be.
///
/// # Errors
/// When `BEVRT_ONNXRUNTIME` names no file, or the package cannot be fetched, verified or unpacked.
pub fn provide() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("BEVRT_ONNXRUNTIME") {
        let path = PathBuf::from(path);
        return match path.canonicalize() {
            Ok(path) => Ok(path),
            Err(error) => Err(format!(
                "BEVRT_ONNXRUNTIME: expected a library, found {} ({error})",
                path.display()
            )),
        };
    }
    if let Some(path) = on_system() {
        command::say(&format!(
            "using the system's ONNX Runtime {}",
            path.display()
        ));
        return Ok(path);
    }
    let folder = command::target().join("onnxruntime");
    let library = folder.join(format!("libonnxruntime.so.{VERSION}"));
    if !library.is_file() {
        fetch(&folder, &library)?;
    }
    Ok(library)
}

/// A library of the system that is new enough; its version is read from the file name behind the symbolic link.
fn on_system() -> Option<PathBuf> {
    for folder in SYSTEM_FOLDERS {
        let Ok(path) = Path::new(folder).join("libonnxruntime.so").canonicalize() else {
            continue;
        };
        let name = path.file_name()?.to_string_lossy().into_owned();
        let minor = name
            .split('.')
            .rev()
            .nth(1)
            .and_then(|part| part.parse::<u32>().ok());
        match minor {
            Some(minor) if minor >= OLDEST_MINOR => return Some(path),
            _ => command::say(&format!(
                "skipping {}: expected ONNX Runtime 1.{OLDEST_MINOR} or newer, found `{name}`",
                path.display()
            )),
        }
    }
    None
}

fn fetch(folder: &Path, library: &Path) -> Result<(), String> {
    let machine = std::env::consts::ARCH;
    let Some((_, platform, sha256)) = WHEELS.iter().find(|(arch, _, _)| *arch == machine) else {
        return Err(format!(
            "no ONNX Runtime package is pinned for `{machine}`; expected x86_64 or aarch64. \
             Set BEVRT_ONNXRUNTIME to the library of this machine"
        ));
    };
    command::say(&format!(
        "fetching ONNX Runtime {VERSION} ({platform}) from PyPI into target/onnxruntime"
    ));
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(
        &requirements,
        format!("onnxruntime=={VERSION} --hash=sha256:{sha256}\n"),
    )
    .map_err(|error| format!("{}: {error}", requirements.display()))?;
    command::python()
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
        ])
        .args([
            "--python-version",
            "311",
            "--implementation",
            "cp",
            "--abi",
            "cp311",
            "--platform",
            platform,
        ])
        .arg("--dest")
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements)
        .run()?;
    let wheel = folder.join(format!("onnxruntime-{VERSION}-cp311-cp311-{platform}.whl"));
    let partial = library.with_extension("partial");
    command::python()
        .args(["-c", UNPACK])
        .arg(&wheel)
        .arg(format!("onnxruntime/capi/libonnxruntime.so.{VERSION}"))
        .arg(&partial)
        .run()?;
    std::fs::rename(&partial, library)
        .map_err(|error| format!("{}: {error}", library.display()))?;
    std::fs::remove_file(&wheel).map_err(|error| format!("{}: {error}", wheel.display()))
}
