use std::fs;
use std::path::PathBuf;

use super::{MANIFEST_FILE, NetworkRequest, OnnxProblem, Package, PackageError, cpu_has};
use crate::manifest::{Precision, ProviderKind};

/// A package folder that is removed again at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, networks: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bevrt-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        let manifest = format!("{HEAD}{networks}{TAIL}");
        fs::write(path.join(MANIFEST_FILE), manifest).expect("the folder is writable");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary space does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

const HEAD: &str = "format = 1\nname = \"t\"\nversion = \"1\"\nworld = \"1\"\n";
const TAIL: &str = r#"
[preprocess]
width = 8
height = 8
crop_top = 0.0
kernel = "area"
colour = "rgb"
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
[[lift]]
name = "coarse"
stride = 8
taps = 1
heights_m = [0.0]
geometry = false
grid = { x_min_m = 0.0, y_min_m = 0.0, cell_m = 1.0, rows = 1, cols = 1 }
[[head]]
kind = "stop_lines"
output = "stop_lines"
grid = { x_min_m = 0.0, y_min_m = 0.0, cell_m = 1.0, rows = 1, cols = 1 }
thresholds = [0.5]
"#;
/// SHA-256 of the three bytes `abc`, from FIPS 180-2.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn network(file: &str, precision: &str, providers: &str, features: &str) -> String {
    format!(
        "[[network]]\nfile = \"{file}\"\nprecision = \"{precision}\"\nproviders = [{providers}]\n\
         cpu_features = [{features}]\nsha256 = \"{ABC}\"\n"
    )
}

const ON_CPU: NetworkRequest = NetworkRequest {
    provider: ProviderKind::Cpu,
    precision: None,
};

#[test]
fn a_network_is_looked_into_when_its_hash_is_right() {
    let folder = Folder::new("hash", &network("a.onnx", "fp32", "\"cpu\"", ""));
    let package = Package::open(&folder.0).expect("the package is right");
    let entry = package.choose(ON_CPU).expect("there is one for the CPU");
    fs::write(folder.0.join("a.onnx"), "abc").expect("the folder is writable");
    let error = package.read_network(entry).expect_err("it is no model");
    let problem = OnnxProblem::Malformed;
    assert!(matches!(&error, PackageError::Network { problem: p, .. } if *p == problem));
    assert!(error.to_string().contains("a.onnx"), "{error}");
    fs::write(folder.0.join("a.onnx"), "abd").expect("the folder is writable");
    let error = package.read_network(entry).expect_err("the hash is wrong");
    assert!(matches!(error, PackageError::Hash { .. }));
    assert!(error.to_string().contains(&format!("expected {ABC}")));
}

#[test]
fn a_network_that_is_missing_is_named() {
    let folder = Folder::new("missing", &network("a.onnx", "fp32", "\"cpu\"", ""));
    let package = Package::open(&folder.0).expect("the package is right");
    let entry = package.choose(ON_CPU).expect("there is one for the CPU");
    let error = package.read_network(entry).expect_err("there is no file");
    assert!(error.to_string().contains("a.onnx"), "{error}");
}

#[test]
fn the_first_network_that_fits_is_chosen() {
    let networks = [
        network("never.onnx", "int8-cpu", "\"cpu\"", "\"no-such-vnni\""),
        network("gpu.onnx", "fp16", "\"cuda\"", ""),
        network("cpu.onnx", "fp32", "\"cpu\", \"cuda\"", ""),
    ];
    let folder = Folder::new("choose", &networks.concat());
    let package = Package::open(&folder.0).expect("the package is right");
    let chosen = |request| package.choose(request).map(|entry| entry.file.clone());
    assert_eq!(chosen(ON_CPU).ok(), Some("cpu.onnx".into()));
    let on_cuda = NetworkRequest {
        provider: ProviderKind::Cuda,
        precision: None,
    };
    assert_eq!(chosen(on_cuda).ok(), Some("gpu.onnx".into()));
    let error = chosen(NetworkRequest {
        precision: Some(Precision::Int8Cpu),
        ..ON_CPU
    })
    .expect_err("no CPU has this feature");
    let message = error.to_string();
    assert!(
        message.contains("lacks `no-such-vnni`, without which sums of 8-bit products saturate"),
        "{message}"
    );
    assert!(message.contains("cpu.onnx: is fp32"), "{message}");
}

#[test]
fn an_unknown_cpu_feature_is_not_there() {
    assert!(!cpu_has("no-such-vnni"));
}
