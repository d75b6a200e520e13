//! Annotated boxes of one scene: what the devkit makes of neighbours, points and bicycle racks.

use bevrt_calibration::{Ego, Pose, World};
use bevrt_sim::ObjectClass;
use nalgebra::{Isometry3, Point3, Vector3};

use super::classes::Meaning;
use super::level::direction_in_ego;
use crate::truth::ObjectTruth;

/// Longest time between neighbours that a velocity is taken from; twice that around the box itself.
const LONGEST_GAP_S: f64 = 1.5;

/// A box of one key frame.
#[derive(Clone, Debug)]
pub(super) struct Annotation {
    /// Number of its instance within the scene, from 1 on.
    pub track_id: u32,
    pub meaning: Meaning,
    pub world_from_box: Isometry3<f64>,
    /// Length, width, height.
    pub size_m: [f64; 3],
    pub visible_fraction: f64,
    /// Whether any point of lidar or radar lies in it; boxes without are no ground truth.
    pub has_points: bool,
    pub timestamp_us: i64,
    /// Places of the same instance's boxes before and after.
    pub previous: Option<usize>,
    pub next: Option<usize>,
}

impl Annotation {
    fn heading_rad(&self) -> f64 {
        let ahead = self.world_from_box.rotation * Vector3::x();
        ahead.y.atan2(ahead.x)
    }

    /// Whether a point of the world lies in the box, its faces included.
    pub fn contains(&self, point_in_world: &Point3<f64>) -> bool {
        let point = self.world_from_box.inverse_transform_point(point_in_world);
        (0..3).all(|axis| point[axis].abs() <= 0.5 * self.size_m[axis])
    }
}

/// How an instance moves.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Movement {
    velocity_mps: [f64; 2],
    yaw_rate_radps: f64,
}

/// From the neighbours of a box; `None` without neighbours near enough in time.
fn movement(all: &[Annotation], place: usize) -> Option<Movement> {
    let annotation = &all[place];
    let limit_s = match (annotation.previous, annotation.next) {
        (None, None) => return None,
        (Some(_), Some(_)) => 2.0 * LONGEST_GAP_S,
        (Some(_), None) | (None, Some(_)) => LONGEST_GAP_S,
    };
    let first = annotation.previous.map_or(annotation, |place| &all[place]);
    let last = annotation.next.map_or(annotation, |place| &all[place]);
    // Each stamp is rounded to seconds by itself, as the devkit does.
    let elapsed_s = 1e-6 * last.timestamp_us as f64 - 1e-6 * first.timestamp_us as f64;
    if elapsed_s <= 0.0 || elapsed_s > limit_s {
        return None;
    }
    let way = last.world_from_box.translation.vector - first.world_from_box.translation.vector;
    let turn = last.heading_rad() - first.heading_rad();
    Some(Movement {
        velocity_mps: [way.x / elapsed_s, way.y / elapsed_s],
        yaw_rate_radps: turn.sin().atan2(turn.cos()) / elapsed_s,
    })
}

/// Whether a class is left out in bicycle racks.
pub(super) fn stands_in_racks(class: ObjectClass) -> bool {
    matches!(class, ObjectClass::Cyclist | ObjectClass::Motorcycle)
}

/// The objects of our classes of a key frame in an ego frame. Those without points in them and those
/// in bicycle racks do not count. `places` are those of the key frame's boxes in `all`.
pub(super) fn objects(
    all: &[Annotation],
    places: &[usize],
    world_from_ego: &Pose<World, Ego>,
) -> Vec<ObjectTruth> {
    let racks: Vec<&Annotation> = racks(all, places).collect();
    places
        .iter()
        .filter_map(|&place| {
            let annotation = &all[place];
            let Meaning::Object(class) = annotation.meaning else {
                return None;
            };
            let centre = Point3::from(annotation.world_from_box.translation.vector);
            let is_in_rack =
                || stands_in_racks(class) && racks.iter().any(|rack| rack.contains(&centre));
            Some(ObjectTruth {
                counts: annotation.has_points && !is_in_rack(),
                ..object(all, place, class, world_from_ego)
            })
        })
        .collect()
}

/// The bicycle racks of a key frame.
pub(super) fn racks<'a>(
    all: &'a [Annotation],
    places: &'a [usize],
) -> impl Iterator<Item = &'a Annotation> {
    places
        .iter()
        .map(|&place| &all[place])
        .filter(|annotation| annotation.meaning == Meaning::BicycleRack)
}

fn object(
    all: &[Annotation],
    place: usize,
    class: ObjectClass,
    world_from_ego: &Pose<World, Ego>,
) -> ObjectTruth {
    let annotation = &all[place];
    let centre = Point3::from(annotation.world_from_box.translation.vector);
    let (sin, cos) = annotation.heading_rad().sin_cos();
    let heading = direction_in_ego(world_from_ego, [cos, sin]);
    let movement = movement(all, place);
    ObjectTruth {
        class: class.code(),
        track_id: annotation.track_id,
        position_m: world_from_ego.inverse().transform(&centre).coords.into(),
        size_m: annotation.size_m,
        yaw_rad: heading[1].atan2(heading[0]),
        velocity_mps: movement
            .map(|movement| direction_in_ego(world_from_ego, movement.velocity_mps)),
        yaw_rate_radps: movement.map_or(0.0, |movement| movement.yaw_rate_radps),
        visible_fraction: annotation.visible_fraction,
        // The data set does not count pixels.
        visible_pixels: 0.0,
        counts: true,
        is_occluded: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes of one instance along x at these times and places, linked.
    fn chain(places: &[(f64, f64)]) -> Vec<Annotation> {
        let count = places.len();
        places
            .iter()
            .enumerate()
            .map(|(k, (time_s, x))| Annotation {
                track_id: 1,
                meaning: Meaning::Object(ObjectClass::Car),
                world_from_box: Isometry3::translation(*x, 0.0, 0.0),
                size_m: [4.0, 2.0, 1.5],
                visible_fraction: 1.0,
                has_points: true,
                timestamp_us: (1e6 * time_s) as i64,
                previous: k.checked_sub(1),
                next: (k + 1 < count).then_some(k + 1),
            })
            .collect()
    }

    fn speed(all: &[Annotation], place: usize) -> Option<f64> {
        movement(all, place).map(|movement| movement.velocity_mps[0])
    }

    #[test]
    fn velocity_is_taken_across_both_neighbours_or_the_one_there_is() {
        let all = chain(&[(0.0, 0.0), (0.5, 1.0), (1.0, 4.0)]);
        assert_eq!(speed(&all, 0), Some(2.0));
        assert_eq!(speed(&all, 1), Some(4.0));
        assert_eq!(speed(&all, 2), Some(6.0));
    }

    #[test]
    fn velocity_is_unknown_for_a_lone_box_and_across_long_gaps() {
        assert_eq!(speed(&chain(&[(0.0, 0.0)]), 0), None);
        let all = chain(&[(0.0, 0.0), (1.6, 1.0), (3.0, 3.0), (4.7, 9.0)]);
        assert_eq!(speed(&all, 0), None, "1.6 s to one neighbour");
        assert_eq!(speed(&all, 1), Some(1.0), "3 s across both");
        assert_eq!(speed(&all, 2), None, "3.1 s across both");
    }

    #[test]
    fn boxes_without_points_and_bicycles_in_racks_do_not_count() {
        let mut all = chain(&[(0.0, 0.0)]);
        let with = |meaning, x: f64, size_m, has_points| Annotation {
            meaning,
            world_from_box: Isometry3::translation(x, 0.0, 0.0),
            size_m,
            has_points,
            ..all[0].clone()
        };
        let bicycle = Meaning::Object(ObjectClass::Cyclist);
        let more = [
            with(bicycle, 10.0, [1.8, 0.6, 1.2], true),
            with(bicycle, 20.0, [1.8, 0.6, 1.2], true),
            with(Meaning::BicycleRack, 10.5, [3.0, 1.0, 1.0], true),
            with(Meaning::Other, 30.0, [1.0; 3], true),
            with(
                Meaning::Object(ObjectClass::Bus),
                40.0,
                [9.0, 2.5, 3.0],
                false,
            ),
        ];
        all.extend(more);
        let places: Vec<usize> = (0..all.len()).collect();
        let objects = objects(&all, &places, &Pose::identity());
        let place = |object: &&ObjectTruth| object.position_m[0];
        let (counted, silent): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object.counts);
        let counted: Vec<f64> = counted.iter().map(place).collect();
        let silent: Vec<f64> = silent.iter().map(place).collect();
        assert_eq!((counted, silent), (vec![0.0, 20.0], vec![10.0, 40.0]));
    }
}
