//! Names of trace files, and the time in them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::TraceFormat;
use super::multi::PROTOBUF_VERSION;
use crate::convert::OSI_VERSION;

/// A second by the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UtcTime {
    year: u32,
    month: u32,
    day: u32,
    second_of_day: u32,
}

impl UtcTime {
    /// From seconds since 1970, up to 2106.
    pub fn from_unix_seconds(seconds: u32) -> Self {
        let mut day = seconds / 86_400;
        let mut year = 1970;
        while day >= days_of_year(year) {
            day -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while day >= days_of_month(year, month) {
            day -= days_of_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: day + 1,
            second_of_day: seconds % 86_400,
        }
    }

    /// From the clock of the system; outside of 1970 to 2106 it is held at the nearer end.
    pub fn from_system(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_seconds(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
    }

    fn clock(&self) -> [u32; 3] {
        let second = self.second_of_day;
        [second / 3600, second / 60 % 60, second % 60]
    }

    /// The basic form of ISO 8601, as file names have it: `20210818T150542Z`.
    pub fn basic(&self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        let [h, m, s] = self.clock();
        format!("{year:04}{month:02}{day:02}T{h:02}{m:02}{s:02}Z")
    }
}

/// The extended form of ISO 8601: `2021-08-18T15:05:42Z`.
impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year, month, day, ..
        } = self;
        let [h, m, s] = self.clock();
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u32) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The name that OSI recommends for a trace of `frames` messages: time, type `sd`, versions of OSI
/// and protobuf without their dots, messages, and `title`, in which everything but letters,
/// digits and `-` becomes `-`.
pub fn trace_file_name(time: UtcTime, frames: u64, title: &str, format: TraceFormat) -> String {
    let osi: String = OSI_VERSION.map(|number| number.to_string()).concat();
    let protobuf = PROTOBUF_VERSION.replace('.', "");
    let title: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let extension = format.extension();
    let time = time.basic();
    format!("{time}_sd_{osi}_{protobuf}_{frames}_{title}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_seconds_have_their_dates() {
        // `date --utc --date=@N`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_629_299_142, "2021-08-18T15:05:42Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let time = UtcTime::from_unix_seconds(seconds);
            assert_eq!(time.to_string(), expected, "{seconds}");
        }
    }

    #[test]
    fn names_follow_the_convention() {
        let time = UtcTime::from_unix_seconds(1_629_299_142);
        assert_eq!(
            trace_file_name(time, 1523, "night_drive 7", TraceFormat::Osi),
            "20210818T150542Z_sd_380_0146_1523_night-drive-7.osi"
        );
    }
}
