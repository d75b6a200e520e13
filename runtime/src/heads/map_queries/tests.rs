use super::MapQueryDecoder;
use crate::heads::raster::logit;
use crate::heads::{CrosswalkDetection, DecodeError, Detections, StopLineDetection};
use crate::manifest::{GroundRange, MapElement, MapQueries, PointCoordinates, PointDimensions};

const COUNT: usize = 12;
const POINTS: usize = 21;
const DASHED: usize = 0;
const EDGE: usize = 1;
const CROSSWALK: usize = 2;
const STOP_LINE: usize = 3;
const IGNORED: usize = 4;
const RANGE: GroundRange = GroundRange {
    x_min_m: -30.0,
    x_max_m: 50.0,
    y_min_m: -16.0,
    y_max_m: 20.0,
};

fn queries(coordinates: PointCoordinates, dimensions: PointDimensions) -> MapQueries {
    let names = [
        "yellow_dashed",
        "road_edge",
        "crosswalk",
        "stop_line",
        "ignored",
    ];
    MapQueries {
        count: COUNT,
        points: POINTS,
        dimensions,
        coordinates,
        range: RANGE,
        elements: names
            .map(|name| MapElement::from_name(name).expect("a known name"))
            .to_vec(),
        sigma_m: vec![0.1, 0.2, 0.3, 0.4, 0.5],
    }
}

/// Points in metres, as a perfect network would give them.
struct Set {
    scores: Vec<f32>,
    points: Vec<[f32; 3]>,
}

impl Set {
    fn empty() -> Self {
        Self {
            scores: vec![-9.0; COUNT * 5],
            points: vec![[0.0; 3]; COUNT * POINTS],
        }
    }

    /// Points at equal shares of the ways between `corners`.
    fn put(&mut self, query: usize, class: usize, confidence: f32, corners: &[[f32; 3]]) {
        self.scores[query * 5 + class] = logit(confidence);
        let sides = corners.len() - 1;
        for k in 0..POINTS {
            let place = (sides * k) as f32 / (POINTS - 1) as f32;
            let side = (place as usize).min(sides - 1);
            let share = place - side as f32;
            let (a, b) = (corners[side], corners[side + 1]);
            self.points[query * POINTS + k] =
                std::array::from_fn(|axis| a[axis] + share * (b[axis] - a[axis]));
        }
    }

    fn values(&self, queries: &MapQueries) -> Vec<f32> {
        let share = |value: f32, least: f64, most: f64| match queries.coordinates {
            PointCoordinates::Metres => value,
            PointCoordinates::Normalised => (value - least as f32) / (most - least) as f32,
        };
        self.points
            .iter()
            .flat_map(|&[x, y, z]| {
                let x = share(x, RANGE.x_min_m, RANGE.x_max_m);
                let y = share(y, RANGE.y_min_m, RANGE.y_max_m);
                [x, y, z].into_iter().take(queries.dimensions.count())
            })
            .collect()
    }

    fn decoded(&self, queries: &MapQueries) -> Detections {
        let mut out = Detections::default();
        MapQueryDecoder::new(queries, &[0.4; 5])
            .decode_into(&self.scores, &self.values(queries), &mut out)
            .expect("the set is right");
        out
    }

    fn decoded_in_metres(&self) -> Detections {
        self.decoded(&queries(PointCoordinates::Metres, PointDimensions::Three))
    }
}

fn forms() -> [MapQueries; 4] {
    use PointCoordinates::{Metres, Normalised};
    use PointDimensions::{Three, Two};
    [
        (Metres, Two),
        (Metres, Three),
        (Normalised, Two),
        (Normalised, Three),
    ]
    .map(|(coordinates, dimensions)| queries(coordinates, dimensions))
}

#[test]
fn a_line_comes_back_as_it_was_put_in() {
    let mut set = Set::empty();
    // Against the driving direction: it comes back with x growing.
    set.put(4, DASHED, 0.8, &[[40.0, 3.0, 0.2], [0.0, 3.5, 0.2]]);
    for queries in forms() {
        let found = set.decoded(&queries);
        assert_eq!(found.lanes.len(), 1);
        let lane = found.lanes[0];
        assert_eq!((lane.marking, lane.colour), (1, 1));
        assert!((lane.confidence - 0.8).abs() < 1e-5);
        assert_eq!(lane.sigma_lateral_m, 0.1);
        assert_eq!(lane.points().len(), 41, "a point a metre");
        let height = match queries.dimensions {
            PointDimensions::Two => 0.0,
            PointDimensions::Three => 0.2,
        };
        for (k, &[x, y, z]) in lane.points().iter().enumerate() {
            assert!((x - k as f32).abs() < 0.02, "{x} {k}");
            assert!((y - (3.5 - 0.0125 * x)).abs() < 1e-3, "{y}");
            assert!((z - height).abs() < 1e-5);
        }
    }
}

#[test]
fn a_crosswalk_and_a_stop_line_come_back_as_they_were_put_in() {
    let crosswalk = CrosswalkDetection {
        position_m: [14.0, 1.0, 0.0],
        theta_rad: 1.3,
        length_m: 9.0,
        width_m: 3.5,
        ..CrosswalkDetection::default()
    };
    let line = StopLineDetection {
        position_m: [10.0, -2.0, 0.0],
        theta_rad: -1.2,
        length_m: 3.4,
        ..StopLineDetection::default()
    };
    let [a, b, c, d] = crosswalk.corners();
    let mut set = Set::empty();
    set.put(0, CROSSWALK, 0.7, &[a, b, c, d, a]);
    set.put(1, STOP_LINE, 0.6, &line.ends());
    for queries in forms() {
        let found = set.decoded(&queries);
        assert!(found.lanes.is_empty());
        let [walk] = found.crosswalks.as_slice() else {
            panic!("one crosswalk");
        };
        let off = |a: [f32; 3], b: [f32; 3]| (a[0] - b[0]).hypot(a[1] - b[1]);
        assert!(off(walk.position_m, crosswalk.position_m) < 1e-3);
        assert!((walk.theta_rad - 1.3).abs() < 1e-3);
        assert!((walk.length_m - 9.0).abs() < 1e-3 && (walk.width_m - 3.5).abs() < 1e-3);
        assert_eq!(walk.sigma_position_m, 0.3);
        let [stop] = found.stop_lines.as_slice() else {
            panic!("one stop line");
        };
        assert!(off(stop.position_m, line.position_m) < 1e-3);
        assert!((stop.theta_rad + 1.2).abs() < 1e-3 && (stop.length_m - 3.4).abs() < 1e-3);
        assert_eq!(stop.sigma_position_m, 0.4);
    }
}

#[test]
fn what_is_found_twice_comes_once_and_the_strongest_first() {
    let mut set = Set::empty();
    let line = |y: f32| [[0.0, y, 0.0], [30.0, y, 0.0]];
    set.put(0, DASHED, 0.5, &line(3.2));
    set.put(1, DASHED, 0.7, &line(3.0));
    set.put(2, EDGE, 0.6, &line(3.3));
    set.put(3, DASHED, 0.9, &line(-3.0));
    set.put(4, STOP_LINE, 0.5, &[[10.0, 0.0, 0.0], [10.0, 3.0, 0.0]]);
    set.put(5, STOP_LINE, 0.8, &[[10.5, 0.0, 0.0], [10.5, 3.0, 0.0]]);
    let found = set.decoded_in_metres();
    let lanes: Vec<_> = found
        .lanes
        .iter()
        .map(|lane| (lane.marking, lane.points()[0][1]))
        .collect();
    assert_eq!(lanes, [(1, -3.0), (1, 3.0), (3, 3.3)]);
    assert_eq!(found.stop_lines.len(), 1);
    assert_eq!(found.stop_lines[0].position_m[0], 10.5);
}

#[test]
fn what_is_weak_short_ignored_or_outside_is_left_out() {
    let mut set = Set::empty();
    set.put(0, DASHED, 0.39, &[[0.0, 0.0, 0.0], [30.0, 0.0, 0.0]]);
    set.put(1, DASHED, 0.9, &[[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]]);
    set.put(2, IGNORED, 0.9, &[[0.0, 5.0, 0.0], [30.0, 5.0, 0.0]]);
    set.put(3, STOP_LINE, 0.9, &[[60.0, 0.0, 0.0], [60.0, 4.0, 0.0]]);
    set.put(4, CROSSWALK, 0.9, &[[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]);
    set.put(5, STOP_LINE, 0.9, &[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]);
    set.put(6, DASHED, 0.9, &[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]);
    assert_eq!(set.decoded_in_metres(), Detections::default());
}

#[test]
fn a_line_is_cut_at_the_range() {
    let mut set = Set::empty();
    set.put(0, EDGE, 0.9, &[[20.0, 0.0, 0.0], [80.0, 0.0, 0.0]]);
    let found = set.decoded_in_metres();
    let points = found.lanes[0].points();
    assert_eq!(points[0][0], 20.0);
    assert!((points[points.len() - 1][0] - 50.0).abs() < 1e-3);
}

#[test]
fn lists_of_other_heads_stay_as_they_are() {
    let mut out = Detections::default();
    out.objects.push(Default::default()).expect("there is room");
    out.lanes.push(Default::default()).expect("there is room");
    let queries = queries(PointCoordinates::Metres, PointDimensions::Two);
    let set = Set::empty();
    MapQueryDecoder::new(&queries, &[0.4; 5])
        .decode_into(&set.scores, &set.values(&queries), &mut out)
        .expect("the set is right");
    assert_eq!((out.objects.len(), out.lanes.len()), (1, 0));
}

#[test]
fn what_is_not_finite_is_refused_and_leaves_nothing() {
    let queries = queries(PointCoordinates::Metres, PointDimensions::Two);
    let mut set = Set::empty();
    set.put(2, EDGE, 0.9, &[[0.0, 0.0, 0.0], [30.0, 0.0, 0.0]]);
    let mut out = set.decoded(&queries);
    assert_eq!(out.lanes.len(), 1);
    let mut values = set.values(&queries);
    values[2 * POINTS * 2 + 1] = f32::INFINITY;
    let refused =
        MapQueryDecoder::new(&queries, &[0.4; 5]).decode_into(&set.scores, &values, &mut out);
    let expected = DecodeError::QueryNotFinite {
        query: 2,
        column: 6,
    };
    assert_eq!(refused, Err(expected));
    assert_eq!(out, Detections::default());
}

#[test]
fn huge_numbers_do_no_harm() {
    let mut set = Set::empty();
    for (query, class) in [DASHED, CROSSWALK, STOP_LINE].into_iter().enumerate() {
        set.put(query, class, 0.9, &[[-1e38, 1e38, 0.0], [1e38, -1e38, 0.0]]);
    }
    assert_eq!(set.decoded_in_metres(), Detections::default());
}
