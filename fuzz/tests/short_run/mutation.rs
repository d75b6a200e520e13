//! Small random changes of an input, the same ones for the same start.

/// Bytes that borders of numbers are made of.
const INTERESTING: [u8; 8] = [0, 1, 0x20, 0x7F, 0x80, 0xFE, 0xFF, b'9'];
/// No input grows beyond this.
const LONGEST: usize = 1 << 16;

/// A source of changes: xorshift64*, from G. Marsaglia's and S. Vigna's papers.
pub struct Mutator(u64);

impl Mutator {
    /// `start` must not be 0.
    pub fn new(start: u64) -> Self {
        Self(start)
    }

    /// A number below `limit`; 0 where there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        number as usize % limit.max(1)
    }

    /// One to eight changes of `seed`, some with a piece of `other`.
    pub fn mutated(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut input = seed.to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut input, other);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let length = input.len();
        let at = self.below(length);
        let until = length.min(at + 1 + self.below(32));
        match self.below(8) {
            0 if length > 0 => input[at] ^= 1 << self.below(8),
            1 if length > 0 => input[at] = INTERESTING[self.below(INTERESTING.len())],
            2 if length > 0 => input[at] = self.below(256) as u8,
            3 => drop(input.drain(at..until)),
            4 => {
                let piece = input[at..until].to_vec();
                input.splice(at..at, piece);
            }
            5 => {
                let from = self.below(other.len());
                let piece = other[from..other.len().min(from + 1 + self.below(64))].to_vec();
                input.splice(at..until, piece);
            }
            6 => input[at..until].fill(INTERESTING[self.below(INTERESTING.len())]),
            _ => {
                let byte = self.below(256) as u8;
                input.insert(at, byte);
            }
        }
    }
}
