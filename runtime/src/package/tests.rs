use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use ed25519_dalek::{Signer, SigningKey};

use super::{
    MANIFEST_FILE, NetworkRequest, OnnxProblem, Package, PackageError, PackageKey,
    PackageSignature, SIGNATURE_FILE, SignatureCheck, SignatureProblem, cpu_has,
};
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
fn links_that_lead_out_of_the_package_are_not_followed_whatever_the_hash() {
    let folder = Folder::new("linked", &network("a.onnx", "fp32", "\"cpu\"", ""));
    let elsewhere = Folder::new("elsewhere", "");
    fs::write(elsewhere.0.join("abc"), "abc").expect("the folder is writable");
    symlink(elsewhere.0.join("abc"), folder.0.join("a.onnx")).expect("it is new");
    let package = Package::open(&folder.0).expect("the package is right");
    let entry = package.choose(ON_CPU).expect("there is one for the CPU");
    let error = package.read_network(entry).expect_err("it lies elsewhere");
    let message = error.to_string();
    assert!(
        message.contains("a.onnx: cannot be read: expected a file of the package"),
        "{message}"
    );

    let manifest = folder.0.join(MANIFEST_FILE);
    fs::rename(&manifest, elsewhere.0.join("manifest")).expect("both are ours");
    symlink(elsewhere.0.join("manifest"), &manifest).expect("it is new");
    let error = Package::open(&folder.0).expect_err("it lies elsewhere");
    assert!(error.to_string().contains("manifest.toml"), "{error}");
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

/// Signs the manifest of a folder by the key of this seed; gives the public half.
fn sign(folder: &Folder, seed: u8) -> PackageKey {
    let private = SigningKey::from_bytes(&[seed; 32]);
    let key = PackageKey::from_bytes(private.verifying_key().to_bytes());
    let manifest = fs::read(folder.0.join(MANIFEST_FILE)).expect("there is one");
    let signature = PackageSignature::new(key, private.sign(&manifest).to_bytes());
    fs::write(folder.0.join(SIGNATURE_FILE), signature.to_string()).expect("it is writable");
    key
}

fn problem(folder: &Folder, trusted: &[PackageKey]) -> Option<SignatureProblem> {
    let check = SignatureCheck::Require(trusted.to_vec());
    match Package::open_signed(&folder.0, &check) {
        Ok(package) => {
            assert!(package.signer().is_ok_and(|key| trusted.contains(&key)));
            None
        }
        Err(PackageError::Signature { file, problem }) => {
            assert_eq!(file, folder.0.join(SIGNATURE_FILE));
            Some(problem)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_package_must_be_signed_by_a_trusted_key_where_that_is_asked_for() {
    let folder = Folder::new("signed", &network("a.onnx", "fp32", "\"cpu\"", ""));
    assert_eq!(problem(&folder, &[]), Some(SignatureProblem::Missing));
    let key = sign(&folder, 7);
    assert_eq!(problem(&folder, &[key]), None);
    let other = PackageKey::from_bytes([9; 32]);
    assert_eq!(problem(&folder, &[other, key]), None);
    let unknown = Some(SignatureProblem::UnknownKey { key });
    assert_eq!(problem(&folder, &[other]), unknown);
    assert_eq!(problem(&folder, &[]), unknown);
    // Nobody asks: anything goes, and who signed can still be told.
    let package = Package::open(&folder.0).expect("the package is right");
    assert_eq!(package.signer(), Ok(key));
}

#[test]
fn a_manifest_that_was_changed_after_signing_is_refused_before_it_is_parsed() {
    let folder = Folder::new("resigned", &network("a.onnx", "fp32", "\"cpu\"", ""));
    let key = sign(&folder, 7);
    let manifest = folder.0.join(MANIFEST_FILE);
    fs::write(&manifest, "no manifest at all").expect("it is writable");
    let wrong = Some(SignatureProblem::Wrong { key });
    assert_eq!(problem(&folder, &[key]), wrong);
    fs::write(folder.0.join(SIGNATURE_FILE), [0xFF; 70]).expect("it is writable");
    assert_eq!(problem(&folder, &[key]), Some(SignatureProblem::Malformed));
    fs::write(folder.0.join(SIGNATURE_FILE), [b'a'; 5000]).expect("it is writable");
    assert_eq!(problem(&folder, &[key]), Some(SignatureProblem::Malformed));
}

#[test]
fn other_files_are_read_by_their_hash_alone() {
    let files = format!("[files]\n\"b.txt\" = \"{ABC}\"\n");
    let folder = Folder::new("files", &network("a.onnx", "fp32", "\"cpu\"", ""));
    let manifest = folder.0.join(MANIFEST_FILE);
    let text = fs::read_to_string(&manifest).expect("there is one");
    fs::write(&manifest, text + &files).expect("it is writable");
    let package = Package::open(&folder.0).expect("the package is right");
    let read = |limit| package.read_file("b.txt".as_ref(), limit);
    fs::write(folder.0.join("b.txt"), "abc").expect("it is writable");
    assert_eq!(read(3).expect("the hash is right"), b"abc");
    assert!(matches!(read(2), Err(PackageError::Read { .. })));
    fs::write(folder.0.join("b.txt"), "abd").expect("it is writable");
    assert!(matches!(read(3), Err(PackageError::Hash { .. })));
    let error = package
        .read_file("c.txt".as_ref(), 3)
        .expect_err("it is not listed");
    assert!(
        error.to_string().contains("c.txt: expected its SHA-256"),
        "{error}"
    );
}
