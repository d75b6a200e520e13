//! Numbers and choices out of the bytes of an input.

/// The rest of an input. When it is used up, everything is zero.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// One of these.
    pub fn choice<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[usize::from(self.u8()) % N]
    }

    /// Up to `most` bytes, their number first.
    pub fn slice(&mut self, most: u16) -> &'a [u8] {
        let length = usize::from(self.u16()) % (usize::from(most) + 1);
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let length = N.min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        out[..length].copy_from_slice(taken);
        self.0 = rest;
        out
    }
}
