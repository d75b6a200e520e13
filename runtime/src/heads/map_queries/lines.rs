use crate::heads::detections::LaneDetection;
use crate::manifest::GroundRange;

/// A road edge; painted lines have other types.
const ROAD_EDGE: u8 = 3;
/// A point this near to another line lies on it.
const ON_LINE_M: f32 = 0.5;
/// Share of a weaker line's points on a stronger one from which the two are one.
const SAME_SHARE: f32 = 0.7;

/// The longest run of neighbouring points inside of the range, the first one of equals.
pub(super) fn inside_run<'a>(points: &'a [[f32; 3]], range: &GroundRange) -> &'a [[f32; 3]] {
    points
        .split(|&[x, y, _]| !range.contains([x, y]))
        .rev()
        .max_by_key(|run| run.len())
        .unwrap_or(&[])
}

/// Whether the weaker line is a second finding of the stronger one. Paint and road edges may lie
/// side by side and are never one.
pub(super) fn is_same_line(stronger: &LaneDetection, weaker: &LaneDetection) -> bool {
    let is_one_group = (stronger.marking == ROAD_EDGE) == (weaker.marking == ROAD_EDGE);
    if !is_one_group || !may_touch(stronger.points(), weaker.points()) {
        return false;
    }
    let points = weaker.points();
    let most_off = ((1.0 - SAME_SHARE) * points.len() as f32) as usize;
    points
        .iter()
        .filter(|point| distance_squared(point, stronger.points()) > ON_LINE_M * ON_LINE_M)
        .nth(most_off)
        .is_none()
}

/// Whether the boxes around two lines come near each other.
fn may_touch(a: &[[f32; 3]], b: &[[f32; 3]]) -> bool {
    (0..2).all(|axis| {
        let extent = |points: &[[f32; 3]]| {
            let start = (f32::INFINITY, f32::NEG_INFINITY);
            points.iter().fold(start, |(least, most), point| {
                (least.min(point[axis]), most.max(point[axis]))
            })
        };
        let ((a_least, a_most), (b_least, b_most)) = (extent(a), extent(b));
        a_least - ON_LINE_M <= b_most && b_least - ON_LINE_M <= a_most
    })
}

/// Squared distance on the ground from a point to a polyline.
fn distance_squared(&[x, y, _]: &[f32; 3], line: &[[f32; 3]]) -> f32 {
    line.windows(2)
        .map(|pair| {
            let (dx, dy) = (pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]);
            let (to_x, to_y) = (x - pair[0][0], y - pair[0][1]);
            let length_squared = (dx * dx + dy * dy).max(1e-12);
            let share = ((to_x * dx + to_y * dy) / length_squared).clamp(0.0, 1.0);
            let (off_x, off_y) = (to_x - share * dx, to_y - share * dy);
            off_x * off_x + off_y * off_y
        })
        .fold(f32::INFINITY, f32::min)
}

#[cfg(test)]
mod tests {
    use super::{inside_run, is_same_line};
    use crate::heads::detections::LaneDetection;
    use crate::manifest::GroundRange;

    fn line(marking: u8, y: f32, first_x: f32, count: usize) -> LaneDetection {
        let mut lane = LaneDetection {
            marking,
            point_count: count as u16,
            ..LaneDetection::default()
        };
        for (k, point) in lane.points_m[..count].iter_mut().enumerate() {
            *point = [first_x + k as f32, y, 0.0];
        }
        lane
    }

    #[test]
    fn a_second_finding_of_a_line_is_noticed() {
        let long = line(0, 2.0, 0.0, 30);
        assert!(is_same_line(&long, &line(1, 2.3, 5.0, 20)));
        assert!(is_same_line(&long, &line(0, 2.0, 24.0, 8)));
        assert!(!is_same_line(&long, &line(0, 2.0, 24.0, 12)));
        assert!(!is_same_line(&long, &line(0, 2.7, 0.0, 30)));
        assert!(!is_same_line(&long, &line(3, 2.3, 0.0, 30)));
    }

    #[test]
    fn the_longest_part_inside_of_the_range_is_taken() {
        let range = GroundRange {
            x_min_m: 0.0,
            x_max_m: 10.0,
            y_min_m: -1.0,
            y_max_m: 1.0,
        };
        let points: Vec<[f32; 3]> = [-1.0, 1.0, 2.0, 11.0, 8.0, 9.0, 10.0, 12.0]
            .map(|x| [x, 0.0, 0.0])
            .to_vec();
        let xs: Vec<f32> = inside_run(&points, &range).iter().map(|p| p[0]).collect();
        assert_eq!(xs, [8.0, 9.0, 10.0]);
        assert!(inside_run(&points[..1], &range).is_empty());
    }
}
