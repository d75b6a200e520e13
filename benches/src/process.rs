//! What this process and the machine around it use: processor time and memory.

mod cpu_time;

use serde::{Deserialize, Serialize};

pub use cpu_time::CpuTime;

/// Memory of this process by the kernel's count, MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident now (`VmRSS`).
    pub resident_mib: f64,
    /// Most that was resident since the kernel was last made to forget it (`VmHWM`).
    pub peak_mib: f64,
}

impl Memory {
    /// Reads it; zeros where the kernel does not tell.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            resident_mib: field_kib(&status, "VmRSS:") / 1024.0,
            peak_mib: field_kib(&status, "VmHWM:") / 1024.0,
        }
    }
}

/// Makes the kernel count the peak anew; tells whether it did.
pub fn forget_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn field_kib(status: &str, name: &str) -> f64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0.0)
}

/// Processor time of the whole machine since it started, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineTicks {
    busy: u64,
    stolen: u64,
    all: u64,
}

/// What others did to the machine during a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interference {
    /// Processor time that other processes used, as a share of all cores' time.
    pub others: f64,
    /// Processor time that the hypervisor gave to other guests, likewise.
    pub stolen: f64,
}

impl MachineTicks {
    /// Reads them; zeros where the kernel does not tell.
    pub fn now() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    /// The line `cpu user nice system idle iowait irq softirq steal …` of `/proc/stat`.
    fn parse(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .map_while(|number| number.parse().ok())
            .collect();
        let [
            user,
            nice,
            system,
            idle,
            waiting,
            hardware,
            software,
            stolen,
            ..,
        ] = ticks[..]
        else {
            return Self::default();
        };
        let busy = user + nice + system + hardware + software;
        Self {
            busy,
            stolen,
            all: busy + idle + waiting + stolen,
        }
    }

    /// What happened since `earlier`, apart from the share of all cores' time that was our `own`.
    pub fn interference_since(&self, earlier: &Self, own: CpuTime, wall_s: f64) -> Interference {
        let all = self.all.saturating_sub(earlier.all) as f64;
        if all == 0.0 || wall_s <= 0.0 {
            return Interference::default();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let busy = self.busy.saturating_sub(earlier.busy) as f64 / all;
        let ours = (own.user_s + own.system_s) / (wall_s * online_cores().unwrap_or(cores));
        Interference {
            others: (busy - ours).max(0.0),
            stolen: self.stolen.saturating_sub(earlier.stolen) as f64 / all,
        }
    }
}

/// Cores that `/proc/stat` counts.
fn online_cores() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let is_core = |line: &&str| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let cores = stat.lines().filter(is_core).count();
    (cores > 0).then_some(cores as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counts_are_read() {
        let status = "Name:\tbevrt\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n";
        assert_eq!(field_kib(status, "VmRSS:"), 102_400.0);
        assert_eq!(field_kib(status, "VmHWM:"), 204_800.0);
        assert_eq!(field_kib(status, "VmSwap:"), 0.0);
    }

    #[test]
    fn work_of_others_is_what_is_busy_and_not_ours() {
        let before = MachineTicks::parse("cpu 1000 0 0 1000 0 0 0 0 0 0\n");
        let after = MachineTicks::parse("cpu 1100 20 30 1030 0 10 10 40 0 0\n");
        // Of 240 ticks 170 are busy and 40 were stolen.
        let seen = after.interference_since(&before, CpuTime::default(), 1.0);
        assert!((seen.others - 170.0 / 240.0).abs() < 1e-9, "{seen:?}");
        assert!((seen.stolen - 40.0 / 240.0).abs() < 1e-9, "{seen:?}");
        let all_ours = CpuTime {
            user_s: 1e6,
            system_s: 0.0,
        };
        let seen = after.interference_since(&before, all_ours, 1.0);
        assert_eq!(seen.others, 0.0);
    }

    #[test]
    fn a_kernel_that_tells_nothing_gives_zeros() {
        assert_eq!(MachineTicks::parse(""), MachineTicks::default());
        let now = MachineTicks::parse("intr 5 5\n");
        let seen = now.interference_since(&now, CpuTime::default(), 1.0);
        assert_eq!(seen, Interference::default());
    }

    #[test]
    fn this_process_has_memory_and_spends_time() {
        assert!(Memory::now().resident_mib > 0.1);
        let before = CpuTime::of_this_process();
        let mut sum = 0_u64;
        for number in 0..30_000_000_u64 {
            sum = std::hint::black_box(sum ^ number.wrapping_mul(number));
        }
        let spent = CpuTime::of_this_process().since(&before);
        assert!(spent.user_s + spent.system_s > 0.0, "{spent:?} {sum}");
    }
}
