//! Cores and priority of the calling thread, by the system's calls.

use std::io;

/// Keeps the calling thread on these cores. Numbers are below `CPU_SETSIZE`, 1024.
pub(super) fn stay_on(cores: &[usize]) -> io::Result<()> {
    // SAFETY:
    // - `cpu_set_t` is an array of integers, for which all zeros is a value: the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores {
        // SAFETY:
        // - `core` is below `CPU_SETSIZE`: `ThreadSettings::check` refuses others.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY:
    // - 0 is the calling thread; the set is readable for the size that is given.
    let status = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Gives the calling thread a real-time priority, first in first out.
pub(super) fn run_in_real_time(priority: u8) -> io::Result<()> {
    let parameters = libc::sched_param {
        sched_priority: priority.into(),
    };
    // SAFETY:
    // - `pthread_self` has no obligations.
    let this = unsafe { libc::pthread_self() };
    // SAFETY:
    // - the thread is the calling one, which lives; the parameters are readable.
    let status =
        unsafe { libc::pthread_setschedparam(this, libc::SCHED_FIFO, &raw const parameters) };
    match status {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
