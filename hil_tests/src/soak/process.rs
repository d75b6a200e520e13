//! What this process uses, by the kernel's count.

use std::io;

/// Memory, threads and open files of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUse {
    /// Resident memory, KiB.
    pub resident_kib: u64,
    /// Threads.
    pub threads: u64,
    /// Open file handles.
    pub handles: u64,
}

impl ProcessUse {
    /// Reads it from `/proc/self`.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn now() -> io::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| {
                let text = format!("expected a number behind {name} in /proc/self/status");
                io::Error::new(io::ErrorKind::InvalidData, text)
            })
        };
        // The folder itself is open while it is read.
        let handles = std::fs::read_dir("/proc/self/fd")?.count() as u64;
        Ok(Self {
            resident_kib: field("VmRSS:")?,
            threads: field("Threads:")?,
            handles: handles.saturating_sub(1),
        })
    }
}
