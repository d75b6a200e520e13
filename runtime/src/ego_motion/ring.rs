//! The samples of ego motion, oldest overwritten first.

use bevrt_calibration::{Ego, Odom, Pose};

use crate::time::Stamp;

/// What is known at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub stamp: Stamp,
    pub odom_from_ego: Pose<Odom, Ego>,
    /// Zero where poses are given.
    pub speed_mps: f64,
    /// Zero where poses are given.
    pub yaw_rate_radps: f64,
    pub epoch: u32,
}

/// A ring with a fixed capacity. **Invariant**: stamps rise strictly with the index.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    slots: Box<[Option<Sample>]>,
    /// Index of the oldest sample in `slots`.
    oldest: usize,
    len: usize,
}

impl Ring {
    /// An empty ring for `capacity` samples, at least 1.
    pub fn new(capacity: usize) -> Self {
        Self {
            slots: vec![None; capacity].into_boxed_slice(),
            oldest: 0,
            len: 0,
        }
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        self.oldest = 0;
        self.len = 0;
    }

    /// Adds a sample that is later than the newest.
    pub fn push(&mut self, sample: Sample) {
        let capacity = self.slots.len();
        self.slots[(self.oldest + self.len) % capacity] = Some(sample);
        if self.len < capacity {
            self.len += 1;
        } else {
            self.oldest = (self.oldest + 1) % capacity;
        }
    }

    /// Sample `index`, counted from the oldest.
    pub fn get(&self, index: usize) -> Option<&Sample> {
        if index >= self.len {
            return None;
        }
        self.slots[(self.oldest + index) % self.slots.len()].as_ref()
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<&Sample> {
        self.get(self.len.checked_sub(1)?)
    }

    /// The sample before the newest, if both are of one epoch.
    pub fn newest_step(&self) -> Option<&Sample> {
        let newest = self.newest()?;
        self.get(self.len.checked_sub(2)?)
            .filter(|before| before.epoch == newest.epoch)
    }

    /// Index of the first sample at or after `stamp`; the number of samples if there is none.
    pub fn first_not_before(&self, stamp: Stamp) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = (low + high) / 2;
            if self.get(middle).is_some_and(|sample| sample.stamp < stamp) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
