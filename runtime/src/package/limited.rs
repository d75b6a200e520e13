//! Reading a file that may be larger than it should be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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

/// As [`read`], for text.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
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
}
