//! Numbers of tracks.

/// Gives ids that are never 0 and do not repeat before 2³² − 1 of them are used.
#[derive(Debug)]
pub(super) struct IdSource {
    last: u32,
}

impl IdSource {
    pub(super) const fn new() -> Self {
        Self { last: 0 }
    }

    pub(super) fn next(&mut self) -> u32 {
        self.last = self.last.checked_add(1).unwrap_or(1);
        self.last
    }
}
