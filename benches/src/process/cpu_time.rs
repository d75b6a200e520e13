#![expect(unsafe_code, reason = "the system call that tells processor time")]

use std::mem::MaybeUninit;
use std::ops::AddAssign;

/// Processor time of all threads of this process, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuTime {
    /// In the program itself.
    pub user_s: f64,
    /// In the kernel on its behalf.
    pub system_s: f64,
}

impl CpuTime {
    /// What this process has used so far; zero where the kernel does not tell.
    pub fn of_this_process() -> Self {
        let mut usage = MaybeUninit::<libc::rusage>::uninit();
        // SAFETY:
        // - `usage` is valid for the write of one `rusage`;
        // - `RUSAGE_SELF` names the calling process.
        let status = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
        if status != 0 {
            return Self::default();
        }
        // SAFETY: a call that returns 0 has filled the struct.
        let usage = unsafe { usage.assume_init() };
        Self {
            user_s: seconds(usage.ru_utime),
            system_s: seconds(usage.ru_stime),
        }
    }

    /// What was used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user_s: self.user_s - earlier.user_s,
            system_s: self.system_s - earlier.system_s,
        }
    }
}

impl AddAssign for CpuTime {
    fn add_assign(&mut self, other: Self) {
        self.user_s += other.user_s;
        self.system_s += other.system_s;
    }
}

fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + 1e-6 * time.tv_usec as f64
}
