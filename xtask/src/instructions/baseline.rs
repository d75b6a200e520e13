//! The baseline's file: what it was counted with, then a count for each kernel.

use std::fmt::Write as _;
use std::path::Path;

/// What counts depend on beside the code.
pub struct Toolchain {
    pub rustc: String,
    pub valgrind: String,
    pub libc: String,
    pub processor: String,
}

impl Toolchain {
    const FIELDS: [&str; 4] = ["rustc", "valgrind", "libc", "processor"];

    fn values(&self) -> [&str; 4] {
        [&self.rustc, &self.valgrind, &self.libc, &self.processor]
    }

    /// What makes counts with `now` incomparable, if anything does.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let fields = Self::FIELDS.into_iter();
        let mut values = fields.zip(self.values().into_iter().zip(now.values()));
        let (field, (of_baseline, found)) = values.find(|(_, (a, b))| a != b)?;
        Some(format!(
            "the baseline is of {field} `{of_baseline}`, here is `{found}`"
        ))
    }
}

/// Counts of all kernels.
pub struct Baseline {
    pub toolchain: Toolchain,
    /// Name and instructions, in the order of the program.
    pub counts: Vec<(String, u64)>,
}

impl Baseline {
    /// Reads the file.
    ///
    /// # Errors
    /// Names file and line of what is not understood.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        std::fs::write(path, self.to_toml()).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Instructions of one run of each kernel. Written by `cargo xtask instructions --renew`,\n\
             # compared by `cargo xtask instructions`.\n\n[with]\n",
        );
        for (field, value) in Toolchain::FIELDS.into_iter().zip(self.toolchain.values()) {
            let _ = writeln!(text, "{field} = \"{value}\"");
        }
        text += "\n[instructions]\n";
        for (name, count) in &self.counts {
            let _ = writeln!(text, "\"{name}\" = {count}");
        }
        text
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut values: [Option<String>; 4] = Default::default();
        let mut counts = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let unclear = || {
                format!(
                    "line {}: expected `name = value`, found `{line}`",
                    number + 1
                )
            };
            if line.is_empty() || line.starts_with(['#', '[']) {
                continue;
            }
            let (name, value) = line.split_once(" = ").ok_or_else(unclear)?;
            if let Some(place) = Toolchain::FIELDS.iter().position(|field| *field == name) {
                values[place] = Some(value.trim_matches('"').to_owned());
            } else {
                let count = value.parse().map_err(|_| unclear())?;
                counts.push((name.trim_matches('"').to_owned(), count));
            }
        }
        let mut fields = Toolchain::FIELDS.into_iter().zip(values);
        let mut next = || {
            let (field, value) = fields
                .next()
                .ok_or_else(|| String::from("too few fields"))?;
            value.ok_or_else(|| format!("`{field}` is missing"))
        };
        let toolchain = Toolchain {
            rustc: next()?,
            valgrind: next()?,
            libc: next()?,
            processor: next()?,
        };
        Ok(Self { toolchain, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        Baseline {
            toolchain: Toolchain {
                rustc: String::from("rustc 1.95.0 (59807616e 2026-04-14)"),
                valgrind: String::from("valgrind-3.19.0"),
                libc: String::from("glibc 2.36"),
                processor: String::from("x86_64 avx2 f16c"),
            },
            counts: vec![(String::from("decode.lanes.full"), 5_118_198)],
        }
    }

    #[test]
    fn a_written_baseline_is_read_as_it_was() {
        let read = Baseline::parse(&baseline().to_toml()).expect("it was just written");
        assert_eq!(read.counts, baseline().counts);
        assert!(read.toolchain.difference(&baseline().toolchain).is_none());
    }

    #[test]
    fn another_compiler_is_named() {
        let mut now = baseline().toolchain;
        now.rustc = String::from("rustc 1.96.0");
        let difference = baseline().toolchain.difference(&now);
        assert!(difference.is_some_and(|text| text.contains("rustc 1.96.0")));
    }

    #[test]
    fn an_unclear_line_is_named() {
        let error = Baseline::parse("[instructions]\nnonsense\n").err();
        assert!(error.is_some_and(|error| error.contains("line 2")));
        let error = Baseline::parse("rustc = \"1\"\n").err();
        assert!(error.is_some_and(|error| error.contains("valgrind")));
    }
}
