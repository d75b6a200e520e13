//! The gate before the Chamfer distance: do two lines, grown to broad strips, meet?
//!
//! A strip has flat ends and mitred joins with mitre limit 5, as polygon libraries grow lines. It
//! is kept as the union of convex pieces: a rectangle for each piece of the line, and on the outer
//! side of each bend the kite up to the crossing of the two offset borders.

use super::polygon::{Corner, convex_meet};
use super::polyline::Point;

/// Half-width of the strips of the MapTR score.
pub const HALF_WIDTH_M: f64 = 2.0;
const MITRE_LIMIT: f64 = 5.0;
/// Below this sine of half the bend a join has no area worth keeping.
const STRAIGHT: f64 = 1e-9;

/// A line grown to both sides.
#[derive(Clone, Debug)]
pub struct Strip {
    pieces: Vec<Piece>,
    bounds: Bounds,
}

#[derive(Clone, Debug)]
struct Piece {
    corners: Vec<Corner>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    low: Corner,
    high: Corner,
}

impl Bounds {
    const NONE: Self = Self {
        low: [f64::INFINITY; 2],
        high: [f64::NEG_INFINITY; 2],
    };

    fn of<'a>(corners: impl IntoIterator<Item = &'a Corner>) -> Self {
        corners.into_iter().fold(Self::NONE, |bounds, corner| Self {
            low: [bounds.low[0].min(corner[0]), bounds.low[1].min(corner[1])],
            high: [bounds.high[0].max(corner[0]), bounds.high[1].max(corner[1])],
        })
    }

    fn meet(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.low[axis] <= other.high[axis] && other.low[axis] <= self.high[axis])
    }
}

impl Strip {
    /// Grows a line by `half_width_m` to each side; a line without length gives an empty strip.
    ///
    /// A line whose last point is its first is a ring and has a join there too.
    pub fn new(points: &[Point], half_width_m: f64) -> Self {
        let segments = segments(points);
        let mut pieces: Vec<Piece> = Vec::with_capacity(2 * segments.len());
        for segment in &segments {
            pieces.push(Piece::new(segment.rectangle(half_width_m)));
        }
        let is_ring = match (segments.first(), segments.last()) {
            (Some(first), Some(last)) => {
                (first.start[0] - last.end[0]).hypot(first.start[1] - last.end[1]) < 1e-9
            }
            _ => false,
        };
        let inner = segments.windows(2).map(|pair| (pair[0], pair[1]));
        let closing = is_ring.then(|| (segments[segments.len() - 1], segments[0]));
        for (before, after) in inner.chain(closing) {
            pieces.extend(join(&before, &after, half_width_m).map(Piece::new));
        }
        let bounds = Bounds::of(
            pieces
                .iter()
                .flat_map(|piece| [&piece.bounds.low, &piece.bounds.high]),
        );
        Self { pieces, bounds }
    }

    /// Whether two strips share a point; touching counts. An empty strip meets nothing.
    pub fn meets(&self, other: &Self) -> bool {
        self.bounds.meet(&other.bounds)
            && self.pieces.iter().any(|a| {
                a.bounds.meet(&other.bounds)
                    && other
                        .pieces
                        .iter()
                        .any(|b| a.bounds.meet(&b.bounds) && convex_meet(&a.corners, &b.corners))
            })
    }
}

impl Piece {
    fn new(corners: Vec<Corner>) -> Self {
        let bounds = Bounds::of(&corners);
        Self { corners, bounds }
    }
}

/// A piece of the line with length, and its unit direction.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: Corner,
    end: Corner,
    direction: Corner,
}

fn segments(points: &[Point]) -> Vec<Segment> {
    points
        .windows(2)
        .filter_map(|pair| {
            let (dx, dy) = (pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]);
            let length = dx.hypot(dy);
            (length > 0.0).then(|| Segment {
                start: [pair[0][0], pair[0][1]],
                end: [pair[1][0], pair[1][1]],
                direction: [dx / length, dy / length],
            })
        })
        .collect()
}

impl Segment {
    fn rectangle(&self, half_width_m: f64) -> Vec<Corner> {
        let [dx, dy] = self.direction;
        let (nx, ny) = (-dy * half_width_m, dx * half_width_m);
        vec![
            [self.start[0] - nx, self.start[1] - ny],
            [self.end[0] - nx, self.end[1] - ny],
            [self.end[0] + nx, self.end[1] + ny],
            [self.start[0] + nx, self.start[1] + ny],
        ]
    }
}

/// The kite on the outer side of a bend; cut square where it would reach beyond the mitre limit.
fn join(before: &Segment, after: &Segment, half_width_m: f64) -> Option<Vec<Corner>> {
    let [d0, d1] = [before.direction, after.direction];
    let cross = d0[0] * d1[1] - d0[1] * d1[0];
    let dot = d0[0] * d1[0] + d0[1] * d1[1];
    // Half the angle between the directions: sine and cosine.
    let (sin_half, cos_half) = (
        (0.5 * (1.0 - dot)).max(0.0).sqrt(),
        (0.5 * (1.0 + dot)).max(0.0).sqrt(),
    );
    if sin_half < STRAIGHT {
        return None;
    }
    // Left bends have their outer side on the right.
    let outer = if cross > 0.0 { -1.0 } else { 1.0 };
    let vertex = before.end;
    let at =
        |base: Corner, along: Corner, by: f64| [base[0] + by * along[0], base[1] + by * along[1]];
    let first = at(vertex, [-d0[1], d0[0]], outer * half_width_m);
    let second = at(vertex, [-d1[1], d1[0]], outer * half_width_m);
    let limit_m = MITRE_LIMIT * half_width_m;
    if half_width_m <= limit_m * cos_half {
        let reach = half_width_m * sin_half / cos_half;
        return Some(vec![vertex, first, at(first, d0, reach), second]);
    }
    let reach = (limit_m - half_width_m * cos_half) / sin_half;
    Some(vec![
        vertex,
        first,
        at(first, d0, reach),
        at(second, d1, -reach),
        second,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(points: &[[f64; 2]]) -> Strip {
        let points: Vec<Point> = points.iter().map(|p| [p[0], p[1], 0.0]).collect();
        Strip::new(&points, HALF_WIDTH_M)
    }

    #[test]
    fn side_by_side_lines_meet_up_to_four_metres() {
        let line = strip(&[[0.0, 0.0], [10.0, 0.0]]);
        assert!(line.meets(&strip(&[[0.0, 4.0], [10.0, 4.0]])));
        assert!(!line.meets(&strip(&[[0.0, 4.01], [10.0, 4.01]])));
    }

    #[test]
    fn flat_ends_do_not_extend_a_line() {
        let line = strip(&[[0.0, 0.0], [10.0, 0.0]]);
        assert!(!line.meets(&strip(&[[10.01, 0.0], [20.0, 0.0]])));
        assert!(line.meets(&strip(&[[10.0, 0.0], [20.0, 0.0]])));
    }

    #[test]
    fn a_mitred_corner_reaches_out() {
        // A right-angled corner at the origin: its mitre reaches to (2, -2).
        let corner = strip(&[[-10.0, 0.0], [0.0, 0.0], [0.0, 10.0]]);
        assert!(corner.meets(&strip(&[[1.9, -3.9], [10.0, -3.9]])));
        assert!(!corner.meets(&strip(&[[2.1, -3.9], [10.0, -3.9]])));
    }

    #[test]
    fn a_line_without_length_meets_nothing() {
        let point = strip(&[[0.0, 0.0], [0.0, 0.0]]);
        assert!(!point.meets(&strip(&[[-5.0, 0.0], [5.0, 0.0]])));
        assert!(!point.meets(&point));
    }

    #[test]
    fn turning_back_is_cut_square_at_the_mitre_limit() {
        let back = strip(&[[0.0, 0.0], [20.0, 0.0], [0.0, 0.001]]);
        assert!(back.meets(&strip(&[[29.9, 0.0], [40.0, 0.0]])));
        assert!(!back.meets(&strip(&[[30.1, 0.0], [40.0, 0.0]])));
    }
}
