//! Search on functions of one variable that increase from zero.

/// Largest `x ≤ limit` up to which `is_sound` holds from 0 on, found by a scan with steps of
/// `step · (1 + x)` and bisection of the first failing step.
pub(crate) fn first_failure(limit: f64, step: f64, is_sound: impl Fn(f64) -> bool) -> f64 {
    let mut good = 0.0;
    while good < limit {
        let mut bad = (good + step * (1.0 + good)).min(limit);
        if is_sound(bad) {
            good = bad;
            continue;
        }
        for _ in 0..60 {
            let middle = 0.5 * (good + bad);
            if is_sound(middle) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        return good;
    }
    limit
}

/// Solves `f(x) = target` on `0 ≤ x ≤ limit`, where `f` increases from `f(0) = 0`: Newton steps, each
/// replaced by a bisection where it would leave the bracket or stall. `f` returns value and slope.
///
/// `None` if the target lies outside of `f`'s range.
pub(crate) fn invert_increasing(
    target: f64,
    limit: f64,
    start: f64,
    f: impl Fn(f64) -> (f64, f64),
) -> Option<f64> {
    let (top, _) = f(limit);
    // Written so that NaN is refused.
    let is_in_range = (0.0..=top).contains(&target);
    if !is_in_range {
        return None;
    }
    let (mut low, mut high) = (0.0, limit);
    let mut x = start.clamp(0.0, limit);
    for _ in 0..128 {
        let (value, slope) = f(x);
        let residual = value - target;
        if residual == 0.0 {
            return Some(x);
        }
        if residual > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - residual / slope;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - x).abs() <= 2.0 * f64::EPSILON * (1.0 + x) {
            return Some(next);
        }
        x = next;
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_found_to_the_last_digits() {
        let edge = first_failure(10.0, 0.01, |x| x < 1.234_567_89);
        assert!((edge - 1.234_567_89).abs() < 1e-14);
        assert_eq!(first_failure(10.0, 0.01, |_| true), 10.0);
    }

    #[test]
    fn functions_with_flat_ends_are_inverted() {
        // Slope zero at x = 1, where Newton alone would leave the bracket.
        let f = |x: f64| (x - x.powi(3) / 3.0, 1.0 - x * x);
        for x in [0.0, 1e-9, 0.3, 0.99, 0.999_999] {
            let found = invert_increasing(f(x).0, 1.0, 0.5, f).expect("in range");
            assert!((f(found).0 - f(x).0).abs() < 1e-15, "{x} {found}");
        }
        assert_eq!(invert_increasing(0.7, 1.0, 0.5, f), None);
        assert_eq!(invert_increasing(f64::NAN, 1.0, 0.5, f), None);
    }
}
