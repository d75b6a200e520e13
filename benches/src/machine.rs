//! What machine this is, and how quiet it is.

use std::fs::read_to_string;

use serde::{Deserialize, Serialize};

/// CPU features that kernels of networks and of this project use.
const FEATURES: [&str; 22] = [
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "avx_vnni",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimdhp",
    "asimddp",
    "asimdfhm",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
];
/// Runnable tasks for each core from which on a machine counts as busy.
const QUIET_LOAD_PER_CORE: f64 = 0.3;

/// The machine, as its kernel tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The board, where it has a name; else empty.
    pub board: String,
    /// The processor.
    pub cpu: String,
    /// Instruction set.
    pub architecture: String,
    /// Its features that matter here.
    pub features: Vec<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Frequency governor of the first core; empty where there is none.
    pub governor: String,
    /// Present clock of each core, MHz; empty where the kernel does not tell.
    pub clocks_mhz: Vec<f64>,
    /// Runnable tasks over the last 1, 5 and 15 minutes.
    pub load_average: [f64; 3],
}

impl Machine {
    /// Looks at this machine.
    pub fn now() -> Self {
        let info = read("/proc/cpuinfo");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            board: read("/proc/device-tree/model"),
            cpu: cpu_name(&info),
            architecture: std::env::consts::ARCH.into(),
            features: features(&info),
            cores,
            memory_mib: memory_mib(&read("/proc/meminfo")),
            kernel: read("/proc/sys/kernel/osrelease"),
            governor: read(&cpu_file(0, "scaling_governor")),
            clocks_mhz: clocks_mhz(&info, cores),
            load_average: load_average(&read("/proc/loadavg")),
        }
    }

    /// What makes times measured now doubtful, one sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let [load, ..] = self.load_average;
        if load > QUIET_LOAD_PER_CORE * self.cores as f64 {
            doubts.push(format!(
                "the machine is not quiet: load average {load:.2} on {} cores at the start",
                self.cores
            ));
        }
        if !matches!(self.governor.as_str(), "" | "performance") {
            doubts.push(format!(
                "clocks are not held: governor `{}`, not `performance`",
                self.governor
            ));
        }
        doubts
    }

    /// One line for tables and pictures.
    pub fn summary(&self) -> String {
        let board = if self.board.is_empty() {
            String::new()
        } else {
            format!("{}, ", self.board)
        };
        format!(
            "{board}{}, {} cores, Linux {}",
            self.cpu, self.cores, self.kernel
        )
    }
}

/// A file's text without white space or zeros around it; empty when it cannot be read.
fn read(path: &str) -> String {
    let text = read_to_string(path).unwrap_or_default();
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .to_owned()
}

fn cpu_file(core: usize, name: &str) -> String {
    format!("/sys/devices/system/cpu/cpu{core}/cpufreq/{name}")
}

/// The values of a field of `/proc/cpuinfo`, one for each core that has it.
fn values<'a>(info: &'a str, field: &'a str) -> impl Iterator<Item = &'a str> {
    info.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(move |(name, _)| name.trim() == field)
        .map(|(_, value)| value.trim())
}

/// ARM cores tell numbers in place of a name.
fn cpu_name(info: &str) -> String {
    if let Some(name) = values(info, "model name").next() {
        return name.to_owned();
    }
    let mut parts: Vec<String> = values(info, "CPU implementer")
        .zip(values(info, "CPU part"))
        .map(|(implementer, part)| format!("implementer {implementer} part {part}"))
        .collect();
    parts.sort();
    parts.dedup();
    if parts.is_empty() {
        "unknown".into()
    } else {
        parts.join(" + ")
    }
}

fn features(info: &str) -> Vec<String> {
    let line = values(info, "flags")
        .chain(values(info, "Features"))
        .next()
        .unwrap_or_default();
    let has: Vec<&str> = line.split_whitespace().collect();
    FEATURES
        .iter()
        .filter(|feature| has.contains(feature))
        .map(|feature| (*feature).to_owned())
        .collect()
}

fn memory_mib(info: &str) -> u64 {
    values(info, "MemTotal")
        .next()
        .and_then(|value| value.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok())
        .map_or(0, |kib| kib / 1024)
}

fn clocks_mhz(info: &str, cores: usize) -> Vec<f64> {
    let governed: Vec<f64> = (0..cores)
        .map_while(|core| {
            read(&cpu_file(core, "scaling_cur_freq"))
                .parse::<f64>()
                .ok()
        })
        .map(|khz| khz / 1000.0)
        .collect();
    if !governed.is_empty() {
        return governed;
    }
    values(info, "cpu MHz")
        .filter_map(|number| number.parse().ok())
        .collect()
}

fn load_average(text: &str) -> [f64; 3] {
    let mut numbers = text.split_whitespace().map_while(|n| n.parse().ok());
    [(); 3].map(|()| numbers.next().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "processor\t: 0\nmodel name\t: Some CPU 9000\ncpu MHz\t\t: 2595.1\n\
        flags\t\t: fpu sse4_2 avx2 avx512_vnni\nprocessor\t: 1\nmodel name\t: Some CPU 9000\n";
    const ARM: &str = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n\
        CPU implementer\t: 0x41\nCPU part\t: 0xd42\nprocessor\t: 1\n\
        CPU implementer\t: 0x41\nCPU part\t: 0xd42\n";

    #[test]
    fn processors_of_both_kinds_are_named() {
        assert_eq!(cpu_name(X86), "Some CPU 9000");
        assert_eq!(features(X86), ["sse4_2", "avx2", "avx512_vnni"]);
        assert_eq!(cpu_name(ARM), "implementer 0x41 part 0xd42");
        assert_eq!(features(ARM), ["asimd", "asimddp", "i8mm"]);
        assert_eq!(cpu_name(""), "unknown");
    }

    #[test]
    fn a_busy_machine_and_a_free_clock_are_doubts() {
        let mut machine = Machine {
            cores: 4,
            load_average: [0.5, 3.0, 3.0],
            governor: "performance".into(),
            ..Machine::default()
        };
        assert_eq!(machine.doubts(), Vec::<String>::new());
        machine.load_average[0] = 2.5;
        machine.governor = "schedutil".into();
        let doubts = machine.doubts();
        assert!(doubts[0].contains("2.50 on 4 cores"), "{doubts:?}");
        assert!(doubts[1].contains("schedutil"), "{doubts:?}");
    }

    #[test]
    fn numbers_of_the_kernel_are_read() {
        assert_eq!(load_average("0.20 0.18 0.12 1/80 11206"), [0.2, 0.18, 0.12]);
        assert_eq!(memory_mib("MemTotal:       16384 kB\n"), 16);
        assert_eq!(clocks_mhz("cpu MHz : 2595.1\n", 0), [2595.1]);
        assert!(Machine::now().cores >= 1);
    }
}
