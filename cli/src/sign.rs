//! `bevrt sign`: signs model packages, and makes the keys for it.

use crate::failure::Failure;
use bevrt_runtime::{
    MANIFEST_FILE, Package, PackageKey, PackageSignature, SIGNATURE_FILE, SignatureCheck,
};
use clap::Args;
use ed25519_dalek::{Signer, SigningKey};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest file of a package that is not a network.
const FILE_LIMIT_BYTES: u64 = 1 << 30;

/// Options of `bevrt sign`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("task").required(true).args(["package", "new_key"]))]
pub struct SignArguments {
    /// Folder of the model package; its signature is written to manifest.sig
    #[arg(requires = "key")]
    package: Option<PathBuf>,
    /// Private key to sign with, as --new-key wrote it
    #[arg(long, value_name = "FILE", conflicts_with = "new_key")]
    key: Option<PathBuf>,
    /// Make a private key, in a new file that its owner alone can read
    #[arg(long, value_name = "FILE")]
    new_key: Option<PathBuf>,
}

/// Signs or makes a key; prints the public key, which whoever loads the package must trust.
pub fn run(arguments: &SignArguments) -> Result<(), Failure> {
    let key = match (&arguments.package, &arguments.key, &arguments.new_key) {
        (_, _, Some(file)) => new_key(file)?,
        (Some(package), Some(key), None) => sign(package, &read_key(key)?)?,
        _ => return Err(Failure::new("expected a package and --key, or --new-key")),
    };
    println!("{key}");
    Ok(())
}

fn new_key(file: &Path) -> Result<PackageKey, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::new(format!("random bytes of the system: {error}")))?;
    let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| writeln!(out, "{digits}"))
        .map_err(Failure::while_doing(file.display()))?;
    Ok(public(&SigningKey::from_bytes(&seed)))
}

fn read_key(file: &Path) -> Result<SigningKey, Failure> {
    let text = fs::read_to_string(file).map_err(Failure::while_doing(file.display()))?;
    // A private key has the form of a public one. It is not repeated in the message.
    let seed: PackageKey = text.trim_end().parse().map_err(|_| {
        Failure::new(format!(
            "{}: expected a private key of 64 hexadecimal digits, found something else",
            file.display()
        ))
    })?;
    Ok(SigningKey::from_bytes(&seed.to_bytes()))
}

/// Signs the manifest once every file that it names has its hash.
fn sign(folder: &Path, private: &SigningKey) -> Result<PackageKey, Failure> {
    let package = Package::open(folder)?;
    for network in package.manifest().networks() {
        package.read_network(network)?;
    }
    for entry in package.manifest().files() {
        package.read_file(&entry.file, FILE_LIMIT_BYTES)?;
    }
    let file = folder.join(MANIFEST_FILE);
    let manifest = fs::read(&file).map_err(Failure::while_doing(file.display()))?;
    let key = public(private);
    let signature = PackageSignature::new(key, private.sign(&manifest).to_bytes());
    let file = folder.join(SIGNATURE_FILE);
    fs::write(&file, signature.to_string()).map_err(Failure::while_doing(file.display()))?;
    Package::open_signed(folder, &SignatureCheck::Require(vec![key]))?;
    Ok(key)
}

fn public(private: &SigningKey) -> PackageKey {
    PackageKey::from_bytes(private.verifying_key().to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A copy of the small package of the tests, removed at the end.
    struct Copy(PathBuf);

    impl Copy {
        fn new(test: &str) -> Self {
            let from =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/reduced");
            let to = std::env::temp_dir().join(format!("bevrt-sign-{test}-{}", std::process::id()));
            copy(&from, &to);
            Self(to)
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            // A folder that stays behind in the system's temporary space does no harm.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("the temporary folder is writable");
        for entry in fs::read_dir(from).expect("the fixture is whole") {
            let from = entry.expect("it can be read").path();
            let to = to.join(from.file_name().expect("it has a name"));
            if from.is_dir() {
                copy(&from, &to);
            } else {
                fs::copy(&from, &to).expect("the temporary folder is writable");
            }
        }
    }

    #[test]
    fn a_new_key_signs_and_is_its_owners_alone() {
        let package = Copy::new("new");
        let file = package.0.join("private.key");
        let made = new_key(&file).expect("the folder is writable");
        let mode = fs::metadata(&file)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(new_key(&file).is_err(), "a key is never overwritten");
        let private = read_key(&file).expect("it was written so");
        assert_eq!(sign(&package.0, &private).expect("it is sound"), made);
        let opened = Package::open(&package.0).expect("it is sound");
        assert_eq!(opened.signer(), Ok(made));
    }

    #[test]
    fn a_package_whose_files_are_not_those_of_its_manifest_is_not_signed() {
        let package = Copy::new("changed");
        let private = SigningKey::from_bytes(&[3; 32]);
        fs::write(package.0.join("golden/case0/frame0_cam0.png"), "x").expect("it is writable");
        let error = sign(&package.0, &private).expect_err("a file was changed");
        assert!(error.to_string().contains("frame0_cam0.png"), "{error}");
        assert!(!package.0.join(SIGNATURE_FILE).exists());
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_without_showing_it() {
        let package = Copy::new("no-key");
        let file = package.0.join("private.key");
        fs::write(&file, "secret words").expect("it is writable");
        let error = read_key(&file).expect_err("it is no key").to_string();
        assert!(
            error.contains("64 hexadecimal digits") && !error.contains("secret"),
            "{error}"
        );
    }
}
