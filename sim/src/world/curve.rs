//! Smooth plane curves by arc length: road centre lines and the paths of actors.

use nalgebra::{Point2, Vector2};
use std::f64::consts::{PI, TAU};

/// Distance between the samples of every curve, metres.
const STEP_M: f64 = 1.0;

/// Wraps an angle to (−π, π].
pub(crate) fn wrap(angle: f64) -> f64 {
    let turned = angle.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}

/// A point of a curve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurvePoint {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Unit vector along the curve.
    pub(crate) ahead: Vector2<f64>,
    /// Direction of `ahead`, continuous along the curve, not wrapped.
    pub(crate) heading: f64,
    /// Positive to the left, 1/m.
    pub(crate) curvature: f64,
}

impl CurvePoint {
    fn new(x: f64, y: f64, heading: f64, curvature: f64) -> Self {
        Self {
            x,
            y,
            ahead: Vector2::new(heading.cos(), heading.sin()),
            heading,
            curvature,
        }
    }

    /// The point `left_m` to the left of this one.
    pub(crate) fn aside(&self, left_m: f64) -> Point2<f64> {
        Point2::new(
            self.x - left_m * self.ahead.y,
            self.y + left_m * self.ahead.x,
        )
    }
}

/// A curve sampled every metre; beyond its ends it goes on straight.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    points: Vec<CurvePoint>,
    length: f64,
}

impl Curve {
    /// Integrates a curvature profile given every metre from a start point and heading.
    pub(crate) fn from_curvature(start: Point2<f64>, heading: f64, curvatures: &[f64]) -> Self {
        let mut points = Vec::with_capacity(curvatures.len() + 1);
        let (mut x, mut y, mut heading) = (start.x, start.y, heading);
        for pair in curvatures.windows(2) {
            points.push(CurvePoint::new(x, y, heading, pair[0]));
            let turn = 0.5 * (pair[0] + pair[1]) * STEP_M;
            let (sin, cos) = (heading + 0.5 * turn).sin_cos();
            x += STEP_M * cos;
            y += STEP_M * sin;
            heading += turn;
        }
        points.push(CurvePoint::new(
            x,
            y,
            heading,
            *curvatures.last().unwrap_or(&0.0),
        ));
        let length = (points.len() - 1) as f64 * STEP_M;
        Self { points, length }
    }

    /// Runs through a dense polyline, resampled evenly and smoothed so that the curvature is continuous.
    ///
    /// Takes at least two distinct points; both ends stay where they are.
    pub(crate) fn through(polyline: &[Point2<f64>]) -> Self {
        let resampled = resample(polyline);
        let smooth = smooth(&smooth(&resampled));
        let resampled = resample(&smooth);
        let n = resampled.len();
        let mut headings = Vec::with_capacity(n);
        for i in 0..n {
            let (before, after) = (
                resampled[i.saturating_sub(1)],
                resampled[(i + 1).min(n - 1)],
            );
            let heading = (after.y - before.y).atan2(after.x - before.x);
            let previous = headings.last().copied().unwrap_or(heading);
            headings.push(previous + wrap(heading - previous));
        }
        let spacing = resampled[0].coords.metric_distance(&resampled[1].coords);
        let points = (0..n)
            .map(|i| {
                let (before, after) = (i.saturating_sub(1), (i + 1).min(n - 1));
                let curvature =
                    (headings[after] - headings[before]) / ((after - before) as f64 * spacing);
                CurvePoint::new(resampled[i].x, resampled[i].y, headings[i], curvature)
            })
            .collect();
        Self {
            points,
            length: (n - 1) as f64 * spacing,
        }
    }

    /// Length in metres.
    pub(crate) fn length(&self) -> f64 {
        self.length
    }

    /// The point at an arc length, by cubic interpolation of position and linear interpolation of curvature.
    pub(crate) fn at(&self, s: f64) -> CurvePoint {
        let last = self.points.len() - 1;
        if s <= 0.0 {
            return straight_on(&self.points[0], s);
        }
        if s >= self.length {
            return straight_on(&self.points[last], s - self.length);
        }
        let spacing = self.length / last as f64;
        let index = ((s / spacing) as usize).min(last - 1);
        let u = s / spacing - index as f64;
        let (a, b) = (&self.points[index], &self.points[index + 1]);
        let (u2, u3) = (u * u, u * u * u);
        let (wa, wb) = (2.0 * u3 - 3.0 * u2 + 1.0, 3.0 * u2 - 2.0 * u3);
        let (ta, tb) = ((u3 - 2.0 * u2 + u) * spacing, (u3 - u2) * spacing);
        CurvePoint::new(
            wa * a.x + wb * b.x + ta * a.ahead.x + tb * b.ahead.x,
            wa * a.y + wb * b.y + ta * a.ahead.y + tb * b.ahead.y,
            a.heading + u * (b.heading - a.heading),
            a.curvature + u * (b.curvature - a.curvature),
        )
    }

    /// The point `left_m` to the left of the curve at an arc length.
    pub(crate) fn aside(&self, s: f64, left_m: f64) -> Point2<f64> {
        self.at(s).aside(left_m)
    }

    /// Arc length of the point of the curve that is nearest to a place.
    pub(crate) fn nearest(&self, place: &Point2<f64>) -> f64 {
        let distance =
            |point: &CurvePoint| (point.x - place.x).powi(2) + (point.y - place.y).powi(2);
        let mut best = (0, f64::MAX);
        for (index, point) in self.points.iter().enumerate() {
            let here = distance(point);
            if here < best.1 {
                best = (index, here);
            }
        }
        let at = &self.points[best.0];
        let spacing = self.length / (self.points.len() - 1) as f64;
        best.0 as f64 * spacing + (place.x - at.x) * at.ahead.x + (place.y - at.y) * at.ahead.y
    }

    /// The samples, one about every metre.
    pub(crate) fn points(&self) -> &[CurvePoint] {
        &self.points
    }
}

fn straight_on(end: &CurvePoint, distance: f64) -> CurvePoint {
    CurvePoint {
        x: end.x + distance * end.ahead.x,
        y: end.y + distance * end.ahead.y,
        curvature: 0.0,
        ..*end
    }
}

/// Even spacing of about [`STEP_M`].
fn resample(polyline: &[Point2<f64>]) -> Vec<Point2<f64>> {
    let mut arc = vec![0.0];
    for pair in polyline.windows(2) {
        let so_far = arc[arc.len() - 1];
        arc.push(so_far + (pair[1] - pair[0]).norm());
    }
    let length = arc[arc.len() - 1];
    let count = (length / STEP_M).round().max(2.0) as usize;
    let mut segment = 0;
    (0..=count)
        .map(|i| {
            let s = length * i as f64 / count as f64;
            while segment + 2 < arc.len() && arc[segment + 1] < s {
                segment += 1;
            }
            let span = (arc[segment + 1] - arc[segment]).max(1e-9);
            let u = ((s - arc[segment]) / span).clamp(0.0, 1.0);
            polyline[segment] + (polyline[segment + 1] - polyline[segment]) * u
        })
        .collect()
}

/// Binomial filter over five samples; narrower at the ends, which stay fixed.
fn smooth(points: &[Point2<f64>]) -> Vec<Point2<f64>> {
    let last = points.len() - 1;
    (0..=last)
        .map(|i| {
            let reach = i.min(last - i).min(2);
            match reach {
                0 => points[i],
                1 => ((points[i - 1].coords + points[i + 1].coords) * 0.25
                    + points[i].coords * 0.5)
                    .into(),
                _ => ((points[i - 2].coords + points[i + 2].coords) * 0.0625
                    + (points[i - 1].coords + points[i + 1].coords) * 0.25
                    + points[i].coords * 0.375)
                    .into(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_circle_ends_where_geometry_says() {
        let radius = 100.0 / (0.5 * PI);
        let curve = Curve::from_curvature(Point2::origin(), 0.0, &[1.0 / radius; 101]);
        let end = curve.at(100.0);
        assert!(
            (end.x - radius).abs() < 0.01 && (end.y - radius).abs() < 0.01,
            "{end:?}"
        );
        assert!((end.heading - 0.5 * PI).abs() < 1e-9);
    }

    #[test]
    fn curve_through_an_arc_has_its_curvature_and_length() {
        let polyline: Vec<_> = (0..=200)
            .map(|i| {
                let angle = f64::from(i) * 0.005;
                Point2::new(30.0 * angle.sin(), 30.0 - 30.0 * angle.cos())
            })
            .collect();
        let curve = Curve::through(&polyline);
        assert!((curve.length() - 30.0).abs() < 0.05, "{}", curve.length());
        assert!((curve.at(15.0).curvature - 1.0 / 30.0).abs() < 1e-3);
    }

    #[test]
    fn curve_goes_on_straight_beyond_its_ends() {
        let curve = Curve::from_curvature(Point2::origin(), 0.0, &[0.0; 11]);
        assert!((curve.at(-5.0).x + 5.0).abs() < 1e-12);
        assert!((curve.at(15.0).x - 15.0).abs() < 1e-12);
        assert!((curve.aside(5.0, 2.0).y - 2.0).abs() < 1e-12);
    }
}
