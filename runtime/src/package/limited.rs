//! Reading a file that may be larger than it should be, or lie elsewhere than it seems to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of `file`, relative to `folder`, as [`read`]. Links may lead to other files of the
/// folder, not out of it, and the file must be an ordinary one: opening a pipe would wait without end.
pub fn read_inside(folder: &Path, file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let path = folder.join(file).canonicalize()?;
    if !path.starts_with(folder.canonicalize()?) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "expected a file of the package, found a link to {}",
                path.display()
            ),
        ));
    }
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected an ordinary file, found something else",
        ));
    }
    read(&path, limit)
}

/// The bytes of a file of at most `limit` bytes; more are an error, and are not read.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("expected at most {limit} bytes, found more"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beyond_the_limit_is_refused() {
        let path = std::env::temp_dir().join(format!("bevrt-limited-{}", std::process::id()));
        std::fs::write(&path, [b'a'; 10]).expect("the temporary folder is writable");
        assert_eq!(read(&path, 10).expect("it fits"), [b'a'; 10]);
        let error = read(&path, 9).expect_err("it is too large");
        assert!(error.to_string().contains("at most 9 bytes"), "{error}");
        // A device without an end is not read for ever.
        assert!(read(Path::new("/dev/zero"), 1000).is_err());
        std::fs::remove_file(&path).expect("it is ours");
    }

    #[test]
    fn a_link_may_lead_to_another_file_of_the_folder_and_not_out_of_it() {
        use std::os::unix::fs::symlink;
        let outer = std::env::temp_dir().join(format!("bevrt-inside-{}", std::process::id()));
        let folder = outer.join("package");
        std::fs::create_dir_all(folder.join("sub")).expect("the temporary folder is writable");
        std::fs::write(outer.join("secret"), "b").expect("it is writable");
        std::fs::write(folder.join("own"), "a").expect("it is writable");
        symlink("../own", folder.join("sub/link")).expect("it is new");
        symlink("../secret", folder.join("out")).expect("it is new");
        symlink(&outer, folder.join("up")).expect("it is new");
        symlink("nowhere", folder.join("dangling")).expect("it is new");
        // The folder itself may be a link.
        symlink(&folder, outer.join("installed")).expect("it is new");
        let of = |file: &str| {
            let path = Path::new(file);
            let found = read_inside(&folder, path, 9).map_err(|error| error.kind());
            let again = read_inside(&outer.join("installed"), path, 9);
            assert_eq!(found, again.map_err(|error| error.kind()), "{file}");
            found
        };
        assert_eq!(of("own"), Ok(vec![b'a']));
        assert_eq!(of("sub/link"), Ok(vec![b'a']));
        for refused in ["out", "up/secret", "../secret", "sub"] {
            assert_eq!(of(refused), Err(io::ErrorKind::InvalidInput), "{refused}");
        }
        assert_eq!(of("dangling"), Err(io::ErrorKind::NotFound));
        std::fs::remove_dir_all(&outer).expect("it is ours");
    }
}
