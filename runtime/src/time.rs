//! Instants and spans, in nanoseconds of the one monotonic clock that the caller passes in.
//!
//! A [`Stamp`] is an instant, a [`Span`] a signed length of time. The two are different types, so
//! an age cannot be taken for a time of day. Nothing in this crate reads a clock.

use std::fmt;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// An instant, in nanoseconds since an origin that the caller chooses.
///
/// For an image it is the middle of the exposure, not the arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Stamp(i64);

/// A signed length of time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Span(i64);

impl Stamp {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The instant `nanoseconds` after the origin.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// The instant `seconds` after the origin, rounded to the nearest nanosecond and saturated.
    /// A NaN gives the origin.
    pub fn from_seconds(seconds: f64) -> Self {
        Self(nanoseconds_of(seconds))
    }

    /// Nanoseconds since the origin.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Seconds since the origin. Exact to the nanosecond for the first 104 days only.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOSECONDS_PER_SECOND
    }

    /// `self - earlier`, or `None` when it does not fit into 64 bits.
    pub const fn checked_since(self, earlier: Self) -> Option<Span> {
        match self.0.checked_sub(earlier.0) {
            Some(nanoseconds) => Some(Span(nanoseconds)),
            None => None,
        }
    }

    /// `self - earlier`, held at the ends of the 64-bit range.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `self + span`, or `None` when it does not fit into 64 bits.
    pub const fn checked_add(self, span: Span) -> Option<Self> {
        match self.0.checked_add(span.0) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }

    /// The length of time between the two instants, whichever comes first.
    pub const fn distance(self, other: Self) -> Span {
        self.since(other).abs()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(i64::MAX);

    /// A span of `nanoseconds`.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// A span of `milliseconds`, saturated.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// A span of `seconds`, rounded to the nearest nanosecond and saturated. A NaN gives zero.
    pub fn from_seconds(seconds: f64) -> Self {
        Self(nanoseconds_of(seconds))
    }

    /// The length in nanoseconds.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// The length in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOSECONDS_PER_SECOND
    }

    /// The length without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// `self + other`, or `None` when it does not fit into 64 bits.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }

    /// `self - other`, or `None` when it does not fit into 64 bits.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }

    /// `self * factor`, or `None` when it does not fit into 64 bits.
    pub const fn checked_mul(self, factor: i64) -> Option<Self> {
        match self.0.checked_mul(factor) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }
}

/// Saturating, so that a wild stamp from outside cannot panic the frame path.
impl std::ops::Add<Span> for Stamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// Saturating, as the sum.
impl std::ops::Sub<Span> for Stamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// Saturating; [`Stamp::checked_since`] tells an overflow.
impl std::ops::Sub for Stamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        self.since(earlier)
    }
}

/// Saturating; [`Span::checked_add`] tells an overflow.
impl std::ops::Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Saturating; [`Span::checked_sub`] tells an overflow.
impl std::ops::Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Saturating; [`Span::checked_mul`] tells an overflow.
impl std::ops::Mul<i64> for Span {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

/// Truncated towards zero. A zero divisor gives zero, so that the frame path cannot panic here.
impl std::ops::Div<i64> for Span {
    type Output = Self;
    fn div(self, divisor: i64) -> Self {
        Self(self.0.checked_div(divisor).unwrap_or(0))
    }
}

impl std::ops::Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0 as f64 / 1e6)
    }
}

fn nanoseconds_of(seconds: f64) -> i64 {
    // A cast from float saturates at the ends and takes NaN to zero.
    (seconds * NANOSECONDS_PER_SECOND).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_nanoseconds_agree() {
        assert_eq!(Stamp::from_seconds(1.5).nanoseconds(), 1_500_000_000);
        assert_eq!(Span::from_seconds(-0.25).nanoseconds(), -250_000_000);
        assert_eq!(Span::from_milliseconds(60).seconds(), 0.06);
        assert_eq!(
            Stamp::from_nanoseconds(2_000_000_001).seconds(),
            2.000000001
        );
    }

    #[test]
    fn differences_of_instants_are_spans() {
        let early = Stamp::from_nanoseconds(10);
        let late = Stamp::from_nanoseconds(35);
        assert_eq!(late - early, Span::from_nanoseconds(25));
        assert_eq!(early.distance(late), Span::from_nanoseconds(25));
        assert_eq!(early + (late - early), late);
        assert_eq!(late - Span::from_nanoseconds(25), early);
    }

    #[test]
    fn overflow_is_told_by_the_checked_forms_and_saturates_in_operators() {
        let first = Stamp::from_nanoseconds(i64::MIN);
        let last = Stamp::from_nanoseconds(i64::MAX);
        assert_eq!(last.checked_since(first), None);
        assert_eq!(last - first, Span::MAX);
        assert_eq!(last.checked_add(Span::from_nanoseconds(1)), None);
        assert_eq!(last + Span::from_nanoseconds(1), last);
        assert_eq!(Span::MAX.checked_mul(2), None);
        assert_eq!(Span::MAX * 2, Span::MAX);
        assert_eq!(Span::from_nanoseconds(i64::MIN).abs(), Span::MAX);
        assert_eq!(Span::MAX / 0, Span::ZERO);
    }

    #[test]
    fn values_that_are_no_number_do_not_panic() {
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::INFINITY), Span::MAX);
    }
}
