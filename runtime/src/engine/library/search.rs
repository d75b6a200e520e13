//! Where the ONNX Runtime library is looked for, in order.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Folder that the set-up command unpacks the library into, below a build folder's parent.
const SET_UP_FOLDER: &str = "target/onnxruntime";

/// A place where the library may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Absolute, or a bare name for the system's loader.
    pub path: PathBuf,
    /// Minor version, where the file name tells it.
    pub minor: Option<u32>,
}

/// All places in the order in which they are tried.
pub(super) fn candidates() -> Vec<Candidate> {
    let executable = std::env::current_exe().unwrap_or_default();
    let mut folders: Vec<PathBuf> = Vec::new();
    folders.extend(executable.parent().map(Path::to_path_buf));
    folders.extend(
        executable
            .ancestors()
            .skip(1)
            .map(|folder| folder.join(SET_UP_FOLDER)),
    );
    folders.extend(system_folders());
    let mut found: Vec<Candidate> = folders.iter().flat_map(|folder| inside(folder)).collect();
    found.extend(bare_names().iter().map(|name| Candidate {
        path: PathBuf::from(name),
        minor: None,
    }));
    found
}

/// Libraries in a folder, newest first.
fn inside(folder: &Path) -> Vec<Candidate> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<Candidate> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(is_library)
        })
        .map(|path| Candidate {
            minor: minor_of(&path),
            path,
        })
        .collect();
    found.sort_by(|a, b| (Reverse(a.minor), &a.path).cmp(&(Reverse(b.minor), &b.path)));
    found
}

fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name.starts_with("libonnxruntime.so")
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
}

/// `libonnxruntime.so.1.31.1` → 31; a link is followed first.
fn minor_of(path: &Path) -> Option<u32> {
    let real = path.canonicalize().ok()?;
    let name = real.file_name()?.to_str()?;
    let numbers = name
        .strip_prefix("libonnxruntime.so.")
        .or_else(|| name.strip_prefix("libonnxruntime."))?;
    let mut parts = numbers.split('.');
    match (parts.next(), parts.next()) {
        (Some("1"), Some(minor)) => minor.parse().ok(),
        (_, _) => None,
    }
}

fn system_folders() -> Vec<PathBuf> {
    if cfg!(windows) {
        return Vec::new();
    }
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    [
        PathBuf::from("/usr/local/lib"),
        Path::new("/usr/local/lib").join(&triplet),
        Path::new("/usr/lib").join(&triplet),
        PathBuf::from("/usr/lib64"),
        PathBuf::from("/usr/lib"),
        PathBuf::from("/opt/onnxruntime/lib"),
        PathBuf::from("/opt/homebrew/lib"),
    ]
    .to_vec()
}

fn bare_names() -> &'static [&'static str] {
    if cfg!(target_os = "macos") {
        &["libonnxruntime.1.dylib", "libonnxruntime.dylib"]
    } else if cfg!(windows) {
        &["onnxruntime.dll"]
    } else {
        &["libonnxruntime.so.1", "libonnxruntime.so"]
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, candidates, inside, is_library};

    #[test]
    fn provider_libraries_are_not_the_library() {
        assert!(is_library("libonnxruntime.so"));
        assert!(is_library("libonnxruntime.so.1.31.1"));
        assert!(is_library("libonnxruntime.1.31.1.dylib"));
        assert!(!is_library("libonnxruntime_providers_cuda.so"));
        assert!(!is_library("libonnxruntime4j_jni.so"));
    }

    #[test]
    fn the_newest_library_of_a_folder_comes_first() {
        let folder = std::env::temp_dir().join(format!("bevrt-search-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "other.so",
        ] {
            std::fs::write(folder.join(name), "").expect("the folder is writable");
        }
        let found = inside(&folder);
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
        let wanted = |name: &str, minor| Candidate {
            path: folder.join(name),
            minor: Some(minor),
        };
        assert_eq!(
            found,
            [
                wanted("libonnxruntime.so.1.31.1", 31),
                wanted("libonnxruntime.so.1.9.0", 9)
            ]
        );
    }

    #[test]
    fn the_system_comes_last() {
        let all = candidates();
        let last = all.last().expect("bare names are always tried");
        assert_eq!(last.path.components().count(), 1);
    }
}
