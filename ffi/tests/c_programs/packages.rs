//! Packages that must be refused, and a calibration that must be taken: made of the small package.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use bevrt_runtime::{MANIFEST_FILE, PackageKey, PackageSignature, SIGNATURE_FILE};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

const NETWORK: &str = "reduced.onnx";
const GOLDEN: &str = "golden.json";

/// Lays them out in `folder`, each in a folder by its name.
pub fn make(package: &Path, folder: &Path) {
    sign(package, &copy(package, folder, "signed"), "");
    sign(package, &copy(package, folder, "changed"), "# changed\n");

    let hash = copy(package, folder, "hash");
    append(&hash.join(NETWORK), &[0]);

    // Messages of protobuf are merged when one follows the other: a weight and a node more.
    let weight = [field(8, b"weight"), field(13, b"")].concat();
    with_graph(package, folder, "external", &field(5, &weight));
    let node = [field(4, b"Steal"), field(7, b"evil")].concat();
    with_graph(package, folder, "operator", &field(1, &node));

    let outside = copy(package, folder, "outside");
    replace(
        &outside.join(MANIFEST_FILE),
        NETWORK,
        "../hash/reduced.onnx",
    );
    let linked = copy(package, folder, "linked");
    fs::remove_file(linked.join(NETWORK)).expect("it was copied");
    symlink(package.join(NETWORK), linked.join(NETWORK)).expect("it is gone");
    let pipe = copy(package, folder, "pipe");
    fs::remove_file(pipe.join(NETWORK)).expect("it was copied");
    let made = Command::new("mkfifo").arg(pipe.join(NETWORK)).status();
    assert!(made.expect("mkfifo is there").success());

    let large = copy(package, folder, "large");
    append(&large.join(MANIFEST_FILE), &vec![b'#'; 1 << 20]);

    let golden = copy(package, folder, "golden");
    let other = replaced(&golden.join(GOLDEN), "[-0.95064461", "[9.95064461");
    exchange(&golden, GOLDEN, other.as_bytes());

    let rig = fs::read_to_string(package.join("golden/case0/rig.toml")).expect("it is there");
    let moved = rig.replace("fx_px = 17.3", "fx_px = 12.9");
    assert_ne!(moved, rig, "the front camera has that focal length");
    fs::write(folder.join("moved.toml"), &moved).expect("it is writable");
    let (one_camera, _) = rig.rsplit_once("[[camera]]").expect("there are two");
    fs::write(folder.join("one_camera.toml"), one_camera).expect("it is writable");
}

/// A copy of a package, in a folder of its own.
fn copy(package: &Path, folder: &Path, name: &str) -> PathBuf {
    fn all(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("the temporary folder is writable");
        for entry in fs::read_dir(from).expect("the fixture is whole") {
            let entry = entry.expect("the fixture is whole");
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                all(&from, &to);
            } else {
                fs::copy(&from, &to).expect("the temporary folder is writable");
            }
        }
    }
    let to = folder.join(name);
    all(package, &to);
    to
}

/// Signs the manifest of `package`, and puts the signature beside another one with a line more.
fn sign(package: &Path, to: &Path, line: &str) {
    let manifest = fs::read(package.join(MANIFEST_FILE)).expect("the fixture is whole");
    let private = SigningKey::from_bytes(&[7; 32]);
    let key = PackageKey::from_bytes(private.verifying_key().to_bytes());
    let signature = PackageSignature::new(key, private.sign(&manifest).to_bytes());
    fs::write(to.join(SIGNATURE_FILE), signature.to_string()).expect("it is writable");
    append(&to.join(MANIFEST_FILE), line.as_bytes());
}

/// A package whose network has something more in its graph, with the right hash.
fn with_graph(package: &Path, folder: &Path, name: &str, more: &[u8]) {
    let to = copy(package, folder, name);
    let mut network = fs::read(to.join(NETWORK)).expect("it was copied");
    network.extend(field(7, more));
    exchange(&to, NETWORK, &network);
}

/// Puts other bytes into a file of a package, and their hash into its manifest.
fn exchange(package: &Path, file: &str, bytes: &[u8]) {
    let path = package.join(file);
    let before = hash(&fs::read(&path).expect("it was copied"));
    fs::write(&path, bytes).expect("it is writable");
    replace(&package.join(MANIFEST_FILE), &before, &hash(bytes));
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replace(path: &Path, from: &str, to: &str) {
    fs::write(path, replaced(path, from, to)).expect("it is writable");
}

fn replaced(path: &Path, from: &str, to: &str) -> String {
    let text = fs::read_to_string(path).expect("it was copied");
    assert!(text.contains(from), "{}: {from}", path.display());
    text.replacen(from, to, 1)
}

fn append(path: &Path, bytes: &[u8]) {
    let mut all = fs::read(path).expect("it was copied");
    all.extend(bytes);
    fs::write(path, all).expect("it is writable");
}

/// A field of a protobuf message.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("what is added is short");
    assert!(number < 16 && length < 128, "one byte each");
    [&[number << 3 | 2, length], value].concat()
}
