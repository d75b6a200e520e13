//! The signature of a package: ed25519 (RFC 8032) over the bytes of its manifest, which holds the
//! SHA-256 of every other file.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};

use super::hex::{Hex, bytes_of_hex};
use super::limited;

/// Name of the signature beside the manifest.
pub const SIGNATURE_FILE: &str = "manifest.sig";

const ALGORITHM: &str = "ed25519";
/// A sound signature has 201 bytes.
const LIMIT_BYTES: u64 = 1024;

/// A public key that packages are signed for; 64 hexadecimal digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PackageKey([u8; 32]);

/// Who must have signed a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Signed or not, by whomever: any package is taken.
    #[default]
    Off,
    /// One of these keys; with none of them, no package is taken.
    Require(Vec<PackageKey>),
}

/// Why a package does not count as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureProblem {
    /// There is no signature.
    Missing,
    /// The signature cannot be read, or has another form.
    Malformed,
    /// The signature is not that of this manifest, or its key is none.
    Wrong {
        /// The key that it names.
        key: PackageKey,
    },
    /// The signature is sound, and nobody trusts its key.
    UnknownKey {
        /// That key.
        key: PackageKey,
    },
}

/// The content of [`SIGNATURE_FILE`]: `ed25519`, public key and signature in hexadecimal digits, one
/// line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageSignature {
    key: PackageKey,
    signature: [u8; 64],
}

impl PackageKey {
    /// The key of these bytes, as RFC 8032 writes them. Whether they are a point of the curve is
    /// found where a signature is checked.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl FromStr for PackageKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        bytes_of_hex(text).map(Self).ok_or_else(|| InvalidKey {
            found: text.to_owned(),
        })
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidKey {
    found: String,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "public key: expected 64 hexadecimal digits, found {:?}",
            self.found
        )
    }
}

impl std::error::Error for InvalidKey {}

impl PackageSignature {
    /// A signature that was made by the private half of `key`.
    pub fn new(key: PackageKey, signature: [u8; 64]) -> Self {
        Self { key, signature }
    }

    /// Checks it over the bytes of a manifest; gives the key that signed.
    ///
    /// # Errors
    /// [`SignatureProblem::Wrong`].
    pub fn verify(&self, manifest: &[u8]) -> Result<PackageKey, SignatureProblem> {
        let wrong = SignatureProblem::Wrong { key: self.key };
        let key = VerifyingKey::from_bytes(&self.key.0).map_err(|_| wrong)?;
        let signature = Signature::from_bytes(&self.signature);
        // Strict: keys of small order and other encodings of one signature are refused.
        key.verify_strict(manifest, &signature).map_err(|_| wrong)?;
        Ok(self.key)
    }
}

impl FromStr for PackageSignature {
    type Err = SignatureProblem;

    fn from_str(text: &str) -> Result<Self, SignatureProblem> {
        let parsed = || {
            let mut words = text.strip_suffix('\n').unwrap_or(text).split(' ');
            let is_known = words.next()? == ALGORITHM;
            let key = PackageKey(bytes_of_hex(words.next()?)?);
            let signature = bytes_of_hex(words.next()?)?;
            (is_known && words.next().is_none()).then_some(Self { key, signature })
        };
        parsed().ok_or(SignatureProblem::Malformed)
    }
}

impl fmt::Display for PackageSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{ALGORITHM} {} {}", self.key, Hex(&self.signature))
    }
}

impl fmt::Display for SignatureProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("expected a signature of the manifest, found no file"),
            Self::Malformed => write!(
                f,
                "expected one line of `{ALGORITHM}`, 64 digits of the public key, 128 of the \
                 signature, found something else"
            ),
            Self::Wrong { key } => write!(
                f,
                "expected the manifest as {key} signed it, found another one"
            ),
            Self::UnknownKey { key } => {
                write!(f, "expected the signature of a trusted key, found {key}")
            }
        }
    }
}

impl SignatureCheck {
    /// Whether a package may be used that was signed so.
    ///
    /// # Errors
    /// The [`SignatureProblem`].
    pub fn accepts(
        &self,
        signer: Result<PackageKey, SignatureProblem>,
    ) -> Result<(), SignatureProblem> {
        match self {
            Self::Off => Ok(()),
            Self::Require(trusted) => {
                let key = signer?;
                if trusted.contains(&key) {
                    return Ok(());
                }
                Err(SignatureProblem::UnknownKey { key })
            }
        }
    }
}

/// Who signed these bytes of a manifest, by the file beside it.
pub(super) fn signer(folder: &Path, manifest: &[u8]) -> Result<PackageKey, SignatureProblem> {
    let read = limited::read_inside(folder, Path::new(SIGNATURE_FILE), LIMIT_BYTES);
    let bytes = read.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => SignatureProblem::Missing,
        _ => SignatureProblem::Malformed,
    })?;
    let text = String::from_utf8(bytes).map_err(|_| SignatureProblem::Malformed)?;
    text.parse::<PackageSignature>()?.verify(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test 3 of RFC 8032, section 7.1.
    const KEY: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
    const SIGNATURE: &str = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
    const MESSAGE: [u8; 2] = [0xAF, 0x82];

    fn text() -> String {
        format!("ed25519 {KEY} {SIGNATURE}\n")
    }

    #[test]
    fn the_known_vector_verifies_and_a_changed_bit_does_not() {
        let signature: PackageSignature = text().parse().expect("it has the form");
        assert_eq!(signature.to_string(), text());
        assert_eq!(text().len(), 202);
        let key: PackageKey = KEY.parse().expect("it is a key");
        assert_eq!(signature.verify(&MESSAGE), Ok(key));
        let wrong = Err(SignatureProblem::Wrong { key });
        assert_eq!(signature.verify(&[0xAF, 0x83]), wrong);
        for bit in 0..512 {
            let mut changed = signature;
            changed.signature[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(changed.verify(&MESSAGE), wrong, "bit {bit}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let text = text();
        let wrong = [
            String::new(),
            text.replace("ed25519", "rsa"),
            text.replace(' ', "  "),
            text.replace('\n', " x\n"),
            text.replace(KEY, &KEY[2..]),
            text.replace(KEY, &KEY.replace('f', "g")),
            format!("{text}{text}"),
        ];
        for text in wrong {
            let parsed = text.parse::<PackageSignature>();
            assert_eq!(parsed, Err(SignatureProblem::Malformed), "{text:?}");
        }
    }

    #[test]
    fn keys_that_everything_is_signed_by_are_refused() {
        // The neutral point signs any message, unless checked strictly.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let key = PackageKey::from_bytes(neutral);
        let forged = PackageSignature::new(key, signature);
        assert_eq!(forged.verify(b"any"), Err(SignatureProblem::Wrong { key }));
    }
}
