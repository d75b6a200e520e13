//! A kernel of the runtime with an input of its own, ready to be run again and again.

use crate::Setup;

/// What a kernel does each time.
pub type Work = Box<dyn FnMut()>;

/// A named piece of work, whose input is made when it is wanted.
pub struct Kernel {
    /// Stage, then what of it: `decode.lanes.full`.
    pub name: String,
    make: Box<dyn Fn() -> Setup<Work>>,
}

impl Kernel {
    pub fn new(name: impl Into<String>, make: impl Fn() -> Setup<Work> + 'static) -> Self {
        Self {
            name: name.into(),
            make: Box::new(make),
        }
    }

    /// Makes the input and runs the kernel once, not seen by the counters.
    pub fn warmed_up(&self) -> Setup<Work> {
        let mut work = (self.make)()?;
        work();
        Ok(work)
    }
}

/// Instructions are counted from the entry of this function to its return: the counter of
/// `cargo xtask instructions` knows it by its name.
#[inline(never)]
pub fn measured(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from becoming a jump out of this function.
    std::hint::black_box(());
}
