use std::path::Path;

use bevrt_runtime::{Manifest, PackageSignature};

/// The bytes as a manifest: a sound one, or a refusal that names the file; and as a signature: one
/// that reads as it is written, or a refusal.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(signature) = text.parse::<PackageSignature>() {
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert!(
            signature.verify(data).is_err(),
            "no text holds its own signature"
        );
    }
    match Manifest::from_toml_str(text, Path::new("manifest.toml")) {
        Ok(manifest) => {
            assert!(!manifest.networks().is_empty() && !manifest.heads().is_empty());
            for entry in manifest.networks() {
                let leaves = entry
                    .file
                    .components()
                    .any(|part| !matches!(part, std::path::Component::Normal(_)));
                assert!(!leaves, "{}", entry.file.display());
            }
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("manifest.toml"), "{text}");
        }
    }
}
