//! Polylines on the ground: lengths, resampling, cutting.
//!
//! Points are x, y, z in metres. Lengths, distances and cuts look at x and y alone; z is carried
//! along by linear interpolation.

/// A point of a polyline: x, y, z, metres.
pub type Point = [f64; 3];

/// An upright rectangle in x and y, borders included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Greatest |x|.
    pub half_x_m: f64,
    /// Greatest |y|.
    pub half_y_m: f64,
}

impl Range {
    /// The range in which map elements are scored: ±30 m ahead and behind, ±15 m to the sides.
    pub const MAP: Self = Self {
        half_x_m: 30.0,
        half_y_m: 15.0,
    };

    /// Whether a point lies inside.
    pub fn contains(&self, point: &Point) -> bool {
        point[0].abs() <= self.half_x_m && point[1].abs() <= self.half_y_m
    }

    /// The part of a line piece that lies inside, as parameters from 0 (start) to 1 (end).
    fn interval(&self, start: &Point, end: &Point) -> Option<(f64, f64)> {
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        for (axis, half) in [(0, self.half_x_m), (1, self.half_y_m)] {
            let step = end[axis] - start[axis];
            for (from, by) in [(half - start[axis], step), (half + start[axis], -step)] {
                // Inside where parameter * by <= from.
                if by > 0.0 {
                    last = last.min(from / by);
                } else if by < 0.0 {
                    first = first.max(from / by);
                } else if from < 0.0 {
                    return None;
                }
            }
        }
        (first <= last).then_some((first, last))
    }
}

/// Distance in x and y.
pub fn distance(a: &Point, b: &Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Sum of the lengths of the pieces.
pub fn length(points: &[Point]) -> f64 {
    points
        .windows(2)
        .map(|pair| distance(&pair[0], &pair[1]))
        .sum()
}

fn between(a: &Point, b: &Point, share: f64) -> Point {
    std::array::from_fn(|k| a[k] + share * (b[k] - a[k]))
}

/// `count` points at equal arc lengths, both ends included; inner vertices are not kept.
///
/// A line without length gives `count` equal points, an empty one none.
pub fn resample(points: &[Point], count: usize) -> Vec<Point> {
    let Some(first) = points.first() else {
        return Vec::new();
    };
    let total = length(points);
    if total == 0.0 || count < 2 {
        return vec![*first; count];
    }
    let mut resampled = Vec::with_capacity(count);
    let mut piece = 0;
    let mut piece_start = 0.0;
    let mut piece_length = distance(&points[0], &points[1]);
    for k in 0..count {
        let along = total * k as f64 / (count - 1) as f64;
        while along > piece_start + piece_length && piece + 2 < points.len() {
            piece_start += piece_length;
            piece += 1;
            piece_length = distance(&points[piece], &points[piece + 1]);
        }
        let share = if piece_length > 0.0 {
            ((along - piece_start) / piece_length).min(1.0)
        } else {
            0.0
        };
        resampled.push(between(&points[piece], &points[piece + 1], share));
    }
    resampled
}

/// Points at equal arc lengths at most `spacing_m` apart, both ends included.
pub fn resample_every(points: &[Point], spacing_m: f64) -> Vec<Point> {
    let pieces = (length(points) / spacing_m).ceil().max(1.0) as usize;
    resample(points, pieces + 1)
}

/// The parts of a polyline inside a range, in order.
pub fn clip(points: &[Point], range: &Range) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut is_open = false;
    for pair in points.windows(2) {
        let Some((first, last)) = range.interval(&pair[0], &pair[1]) else {
            is_open = false;
            continue;
        };
        let start = if first > 0.0 {
            between(&pair[0], &pair[1], first)
        } else {
            pair[0]
        };
        let end = if last < 1.0 {
            between(&pair[0], &pair[1], last)
        } else {
            pair[1]
        };
        match parts.last_mut() {
            Some(part) if is_open && first <= 0.0 => part.push(end),
            _ => parts.push(vec![start, end]),
        }
        is_open = last >= 1.0;
    }
    parts.retain(|part| length(part) > 0.0);
    parts
}

/// Distance in x and y from a point to the nearest place on a polyline; infinite for an empty one.
pub fn distance_to(points: &[Point], point: &Point) -> f64 {
    let to_vertex = points
        .first()
        .map_or(f64::INFINITY, |first| distance(first, point));
    points.windows(2).fold(to_vertex, |least, pair| {
        let (dx, dy) = (pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]);
        let (px, py) = (point[0] - pair[0][0], point[1] - pair[0][1]);
        let squared = dx * dx + dy * dy;
        let share = if squared > 0.0 {
            ((px * dx + py * dy) / squared).clamp(0.0, 1.0)
        } else {
            0.0
        };
        least.min((px - share * dx).hypot(py - share * dy))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resampling_keeps_ends_and_spaces_evenly() {
        let points = [
            [0.0, 0.0, 0.0],
            [3.0, 0.0, 0.3],
            [3.0, 0.0, 0.3],
            [3.0, 1.0, 0.4],
        ];
        let resampled = resample(&points, 5);
        let expected = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [3.0, 1.0]];
        for (found, expected) in resampled.iter().zip(expected) {
            assert!((found[0] - expected[0]).hypot(found[1] - expected[1]) < 1e-12);
        }
        assert!((resampled[1][2] - 0.1).abs() < 1e-12);
        assert_eq!(resample_every(&points, 1.0).len(), 5);
    }

    #[test]
    fn a_line_without_length_gives_equal_points() {
        assert_eq!(resample(&[[1.0, 2.0, 3.0]; 2], 3), vec![[1.0, 2.0, 3.0]; 3]);
        assert_eq!(resample(&[[1.0, 2.0, 3.0]], 3), vec![[1.0, 2.0, 3.0]; 3]);
        assert!(resample(&[], 3).is_empty());
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_gives_two_parts() {
        let range = Range {
            half_x_m: 2.0,
            half_y_m: 1.0,
        };
        let points = [
            [-5.0, 0.0, 0.0],
            [1.0, 0.0, 6.0],
            [1.0, 3.0, 6.0],
            [0.0, 3.0, 0.0],
            [0.0, 0.5, 0.0],
        ];
        let parts = clip(&points, &range);
        assert_eq!(parts.len(), 2);
        assert_eq!(
            parts[0],
            vec![[-2.0, 0.0, 3.0], [1.0, 0.0, 6.0], [1.0, 1.0, 6.0]]
        );
        assert_eq!(parts[1], vec![[0.0, 1.0, 0.0], [0.0, 0.5, 0.0]]);
        assert!(clip(&[[-5.0, 1.5, 0.0], [5.0, 1.5, 0.0]], &range).is_empty());
    }

    #[test]
    fn distance_to_a_line_is_perpendicular_inside_and_to_the_end_outside() {
        let points = [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]];
        assert_eq!(distance_to(&points, &[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(distance_to(&points, &[7.0, 4.0, 0.0]), 5.0);
        assert_eq!(distance_to(&[], &[7.0, 4.0, 0.0]), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn clipped_parts_lie_inside_and_on_the_line(
            flat in prop::collection::vec((-50.0..50.0_f64, -30.0..30.0_f64), 2..8),
        ) {
            let points: Vec<Point> = flat.iter().map(|&(x, y)| [x, y, 0.0]).collect();
            for part in clip(&points, &Range::MAP) {
                for point in &part {
                    prop_assert!(point[0].abs() <= 30.0 + 1e-9 && point[1].abs() <= 15.0 + 1e-9);
                    prop_assert!(distance_to(&points, point) < 1e-9);
                }
            }
        }

        #[test]
        fn resampled_pieces_are_never_longer_than_asked(
            flat in prop::collection::vec((-50.0..50.0_f64, -30.0..30.0_f64), 2..8),
        ) {
            let points: Vec<Point> = flat.iter().map(|&(x, y)| [x, y, 0.0]).collect();
            for pair in resample_every(&points, 1.0).windows(2) {
                prop_assert!(distance(&pair[0], &pair[1]) <= 1.0 + 1e-9);
            }
        }
    }
}
