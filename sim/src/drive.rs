//! A drive through a world: the ego vehicle, the traffic around it, and what the cameras see at any time.

mod actor;
mod body_motion;
mod can;
mod lamps;
mod map;
mod path;
mod population;
mod sky;
mod traffic;

pub use can::CanSample;

use crate::ground_truth::{GroundTruth, Object, ObjectClass};
use crate::scene::Scene;
use crate::world::random::{Random, mix};
use crate::world::{Condition, World};
use actor::{Actor, Lift, Motion, Progress};
use bevrt_calibration as calibration;
use bevrt_calibration::{Cam, Ego, Pose, Rig};
use body_motion::BodyMotion;
use map::{Map, is_in_range, yaw_in};
use nalgebra::{Isometry3, Point2, Vector3};
use path::Path;
use sky::Sky;
use std::sync::Arc;
use traffic::{Signals, Traffic};

/// What a drive is like, apart from its seed.
#[derive(Clone, Copy, Debug)]
pub struct DriveOptions {
    /// How long it lasts, seconds; the roads are long enough for some 20 s.
    pub duration_s: f64,
    /// Largest offset of a camera's exposure from the nominal time, seconds; 0 for cameras in step.
    pub camera_skew_s: f64,
    /// Light and weather instead of those of the seed.
    pub condition: Option<Condition>,
    /// Half of the cars and vans on the road become trucks and buses, which are rare otherwise: for training.
    pub has_many_large_vehicles: bool,
}

impl Default for DriveOptions {
    /// A clip of 10 s, cameras in step, the seed's own weather.
    fn default() -> Self {
        Self {
            duration_s: 10.0,
            camera_skew_s: 0.0,
            condition: None,
            has_many_large_vehicles: false,
        }
    }
}

/// A simulated drive; every question about any time has one answer, whatever was asked before.
#[derive(Clone, Debug)]
pub struct Drive {
    seed: u64,
    options: DriveOptions,
    world: Arc<World>,
    cameras: Vec<Pose<Ego, Cam>>,
    camera_offsets_s: Vec<f64>,
    ego_path: Arc<Path>,
    ego_progress: Progress,
    actors: Vec<Actor>,
    body_motion: BodyMotion,
    can_errors: can::Errors,
    map: Map,
    sky: Sky,
}

/// Static instances beyond this distance from the ego vehicle are not drawn, metres; wide ones are kept while they reach into it.
const DRAWN_M: f64 = 150.0;
/// The same for vehicles, and for people, two-wheelers and cones.
const DRAWN_VEHICLES_M: f64 = 120.0;
const DRAWN_SMALL_M: f64 = 90.0;

impl Drive {
    /// The drive of a seed with a rig of cameras.
    pub fn new(seed: u64, rig: &Rig, options: DriveOptions) -> Self {
        let world = Arc::new(World::generate(seed));
        let mut random = Random::new(seed, 20);
        let mut traffic = Traffic {
            world: &world,
            signals: Signals::draw(&world.layout, &mut random),
            vehicles: vec![population::ego_vehicle(&world, &mut random)],
            walkers: Vec::new(),
            standing: population::standing_bodies(&world),
            nearby: Vec::new(),
        };
        population::populate(&mut traffic, &options, &mut random);
        traffic.run(options.duration_s);
        let is_kept = traffic.without_overlaps();
        let ego = &traffic.vehicles[0];
        let (ego_path, ego_progress) = (
            ego.path.clone(),
            Progress {
                samples: ego.history.clone(),
            },
        );
        let actors = actors_of(&traffic, &is_kept);
        let condition = options.condition.unwrap_or_else(|| Condition::of(seed));
        let offset = |camera: usize| {
            Random::new(seed, 40 + camera as u64).between(-1.0, 1.0) * options.camera_skew_s
        };
        Self {
            seed,
            options,
            cameras: rig
                .cameras()
                .iter()
                .map(|camera| camera.ego_from_cam)
                .collect(),
            camera_offsets_s: (0..rig.cameras().len()).map(offset).collect(),
            ego_path,
            ego_progress,
            actors,
            body_motion: BodyMotion::draw(&mut Random::new(seed, 21)),
            can_errors: can::Errors::draw(&mut Random::new(seed, 22)),
            map: Map::new(&world),
            sky: Sky::draw(condition, &mut Random::new(seed, 23)),
            world,
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Light and weather.
    pub fn condition(&self) -> Condition {
        self.sky.condition
    }

    /// Length of the drive, seconds.
    pub fn duration_s(&self) -> f64 {
        self.options.duration_s
    }

    /// The static world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// True pose of the ego frame: origin on the ground under the rear axle, x along the heading, tilted with the road
    /// between the axles.
    pub fn ego_pose(&self, t_s: f64) -> Pose<calibration::World, Ego> {
        let [s, _, _] = self.ego_progress.at(t_s);
        let at = self.ego_path.curve.at(s);
        let place = Point2::new(at.x, at.y);
        // The plane through the wheels: axles 2.7 m apart, tracks 1.6 m wide.
        let (sin, cos) = at.heading.sin_cos();
        let z = |ahead: f64, left: f64| {
            let offset = nalgebra::Vector2::new(ahead * cos - left * sin, ahead * sin + left * cos);
            self.world.terrain.z(&(place + offset))
        };
        let [rear_left, rear_right] = [z(0.0, 0.8), z(0.0, -0.8)];
        let [front_left, front_right] = [z(2.7, 0.8), z(2.7, -0.8)];
        let rise = 0.5 * (front_left + front_right - rear_left - rear_right);
        let lean = 0.5 * (front_left + rear_left - front_right - rear_right);
        let rotation = nalgebra::UnitQuaternion::from_euler_angles(
            (lean / 1.6).atan(),
            -(rise / 2.7).atan(),
            at.heading,
        );
        Pose::new(
            rotation,
            Vector3::new(place.x, place.y, 0.5 * (rear_left + rear_right)),
        )
    }

    /// True speed of the rear axle and true yaw rate: m/s, rad/s.
    pub fn ego_motion(&self, t_s: f64) -> [f64; 2] {
        let [s, v, _] = self.ego_progress.at(t_s);
        [v, v * self.ego_path.curve.at(s).curvature]
    }

    /// True pose of a camera (by its index in the rig) at the time of its exposure: the nominal mount on a body that moves on its springs.
    pub fn camera_pose(&self, t_s: f64, camera: usize) -> Pose<calibration::World, Cam> {
        let world_from_ego = self.ego_pose(t_s);
        let ego_from_body = self.ego_from_body(t_s);
        let body_from_cam = self.cameras[camera].as_isometry();
        Pose::from_isometry(world_from_ego.as_isometry() * ego_from_body * body_from_cam)
    }

    fn ego_from_body(&self, t_s: f64) -> Isometry3<f64> {
        // Accelerations as the springs feel them: over half a second.
        let [_, before, _] = self.ego_progress.at(t_s - 0.25);
        let [s, v, _] = self.ego_progress.at(t_s);
        let [_, after, _] = self.ego_progress.at(t_s + 0.25);
        let curvature = self.ego_path.curve.at(s).curvature;
        self.body_motion
            .at(t_s, v, (after - before) / 0.5, v * v * curvature)
    }

    /// When a camera really exposes for the nominal time.
    pub fn camera_time(&self, t_s: f64, camera: usize) -> f64 {
        t_s + self.camera_offsets_s[camera]
    }

    /// CAN signals with stamps in `from_s..to_s`, 50 a second.
    pub fn can(&self, from_s: f64, to_s: f64) -> Vec<CanSample> {
        self.can_errors
            .samples(self.seed, from_s, to_s, |t_s| self.ego_motion(t_s))
    }

    /// All that the cameras may see at a time.
    pub fn scene_at(&self, t_s: f64) -> Scene {
        let world_from_ego = self.ego_pose(t_s);
        let here = world_from_ego.translation();
        let is_near = |pose: &Isometry3<f64>, reach_m: f64| {
            let offset = pose.translation.vector.xy() - here.xy();
            offset.norm() < reach_m
        };
        let mut instances: Vec<_> = self
            .world
            .instances
            .iter()
            .filter(|instance| {
                let reach =
                    instance.bounds.1 * instance.scale.max() + instance.bounds.0.coords.norm();
                is_near(&instance.world_from_mesh, DRAWN_M + f64::from(reach))
            })
            .cloned()
            .collect();
        let mut lamps = lamps::Lamps::new(&self.sky);
        for actor in &self.actors {
            let state = actor.at(t_s);
            let reach_m = if actor.shape.size[1] > 1.2 {
                DRAWN_VEHICLES_M
            } else {
                DRAWN_SMALL_M
            };
            if (state.place.coords - here.xy()).norm() < reach_m {
                let pose = actor.pose(&self.world, &state);
                lamps.add_vehicle(actor, &state, &pose);
                instances.push(actor.instance(pose));
            }
        }
        lamps.add_ego(world_from_ego.as_isometry());
        lamps.add_street(&self.world.lamps);
        Scene {
            instances,
            lighting: self.sky.lighting_at(&(*here).into(), lamps.into_lights()),
            weather: self.sky.weather,
            seed: self.seed,
            frame: mix((t_s * 1000.0).round() as i64 as u64),
        }
    }

    /// What is really there at a time, visibility left empty.
    pub fn ground_truth(&self, t_s: f64) -> GroundTruth {
        let world_from_ego = *self.ego_pose(t_s).as_isometry();
        let ego_from_world = world_from_ego.inverse();
        let here = Point2::from(world_from_ego.translation.vector.xy());
        GroundTruth {
            t_s,
            world_from_ego,
            objects: self
                .actors
                .iter()
                .filter_map(|actor| self.object(actor, t_s, &ego_from_world))
                .collect(),
            lanes: self.map.lanes(&ego_from_world, here),
            arrows: self.map.arrows(&ego_from_world),
            crosswalks: self.map.crosswalks(&ego_from_world),
            stop_lines: self.map.stop_lines(&ego_from_world),
        }
    }

    fn object(&self, actor: &Actor, t_s: f64, ego_from_world: &Isometry3<f64>) -> Option<Object> {
        let state = actor.at(t_s);
        let pose = ego_from_world * actor.pose(&self.world, &state);
        let size = actor.shape.size;
        let centre = pose * nalgebra::Point3::new(0.0, 0.0, 0.5 * f64::from(size[2]));
        let velocity =
            ego_from_world.rotation * Vector3::new(state.velocity.x, state.velocity.y, 0.0);
        is_in_range(&centre).then(|| Object {
            id: actor.id,
            class: actor.class,
            centre,
            size,
            yaw: yaw_in(ego_from_world, state.yaw),
            velocity: [velocity.x, velocity.y],
            yaw_rate: state.yaw_rate,
            visible_fraction: 0.0,
            visible_px: 0.0,
            silhouette_px: 0.0,
            counts: false,
            is_occluded_recall: false,
        })
    }
}

/// Actors that remain, numbered from 1.
fn actors_of(traffic: &Traffic<'_>, is_kept: &[bool]) -> Vec<Actor> {
    let mut found: Vec<(ObjectClass, crate::shapes::Shape, Motion)> = Vec::new();
    let walks_from = traffic.vehicles.len();
    let stands_from = walks_from + traffic.walkers.len();
    for (vehicle, _) in traffic
        .vehicles
        .iter()
        .zip(is_kept)
        .filter(|(_, kept)| **kept)
    {
        let Some(shape) = &vehicle.shape else {
            continue;
        };
        let curve = Arc::new(vehicle.path.curve.clone());
        let progress = Progress {
            samples: vehicle.history.clone(),
        };
        found.push((
            vehicle.class,
            shape.clone(),
            Motion::Along {
                curve,
                progress,
                lift: Lift::Road,
            },
        ));
    }
    for (walker, _) in traffic
        .walkers
        .iter()
        .zip(&is_kept[walks_from..])
        .filter(|(_, kept)| **kept)
    {
        let lift = match walker.crossing {
            Some((_, road)) => Lift::Crossing(road),
            None if traffic.world.layout.roads[0].section.sidewalk_m > 0.0 => Lift::Sidewalk,
            None => Lift::Road,
        };
        let progress = Progress {
            samples: walker.history.clone(),
        };
        let motion = Motion::Along {
            curve: walker.curve.clone(),
            progress,
            lift,
        };
        found.push((ObjectClass::Pedestrian, walker.shape.clone(), motion));
    }
    for (object, _) in traffic
        .world
        .standing
        .iter()
        .zip(&is_kept[stands_from..])
        .filter(|(_, kept)| **kept)
    {
        let motion = Motion::Still {
            place: object.place,
            yaw: object.yaw,
            lift_m: object.lift_m,
        };
        found.push((object.class, object.shape.clone(), motion));
    }
    found
        .into_iter()
        .zip(1..)
        .map(|((class, shape, motion), id)| Actor {
            id,
            class,
            shape,
            motion,
        })
        .collect()
}

#[cfg(test)]
mod tests;
