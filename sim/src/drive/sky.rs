//! Light and weather of a drive.

use crate::scene::{Fog, Lighting, PointLight, Weather};
use crate::world::Condition;
use crate::world::random::Random;
use nalgebra::{Point3, Vector3};
use std::f64::consts::TAU;

/// Most lamps in a scene.
const MOST_LAMPS: usize = 24;
/// Lamps beyond this distance from the ego vehicle are left out, metres.
const LAMP_RANGE_M: f64 = 60.0;

/// Irradiance of the sun relative to that of a bright sky.
const SUN: f64 = 1.3;

/// Sun, sky, fog, rain and exposure; constant through a drive.
#[derive(Clone, Debug)]
pub(super) struct Sky {
    pub(super) condition: Condition,
    pub(super) lighting: Lighting,
    pub(super) weather: Weather,
}

impl Sky {
    pub(super) fn draw(condition: Condition, random: &mut Random) -> Self {
        let azimuth = random.between(0.0, TAU);
        let cloudiness = match condition {
            Condition::Day => random.pick(&[0.0, 0.1, 0.2, 0.35, 0.6, 0.85, 1.0]),
            Condition::Dusk | Condition::Night => random.between(0.0, 1.0),
            Condition::Rain | Condition::Fog => 1.0,
        };
        let elevation = match condition {
            Condition::Day => random.between(0.3, 1.1),
            Condition::Dusk => random.between(0.03, 0.16),
            _ => random.between(0.4, 0.9),
        };
        // Overall brightness relative to a bright day.
        let level = match condition {
            Condition::Day => 1.0 - 0.5 * cloudiness * random.between(0.5, 1.0),
            Condition::Dusk => random.between(0.03, 0.12),
            Condition::Night => random.between(0.0005, 0.0015),
            Condition::Rain => random.between(0.2, 0.45),
            Condition::Fog => random.between(0.3, 0.7),
        };
        let grey = [1.0, 1.0, 1.0];
        let (sun, zenith, horizon) = match condition {
            Condition::Dusk => ([1.5, 0.75, 0.35], [0.35, 0.42, 0.7], [1.0, 0.62, 0.42]),
            Condition::Night => ([0.25, 0.3, 0.4], [0.5, 0.6, 1.0], [0.9, 0.8, 0.8]),
            _ => ([1.0, 0.94, 0.84], [0.28, 0.45, 0.85], [0.75, 0.82, 0.92]),
        };
        let blend = |clear: [f32; 3], share: f32, amount: f64| {
            std::array::from_fn(|i| {
                ((clear[i] * (1.0 - share) + grey[i] * share) as f64 * amount) as f32
            })
        };
        let cloud = cloudiness as f32;
        let direct = (1.0 - cloudiness * 1.25).max(0.0);
        let lighting = Lighting {
            sun_direction: Vector3::new(
                azimuth.cos() * f64::cos(elevation),
                azimuth.sin() * f64::cos(elevation),
                f64::sin(elevation),
            ),
            sun_rgb: blend(sun, 0.0, SUN * level * direct),
            sky_zenith_rgb: blend(zenith, 0.85 * cloud, level * (0.55 + 0.35 * cloudiness)),
            sky_horizon_rgb: blend(horizon, 0.85 * cloud, level * (0.6 + 0.25 * cloudiness)),
            cloudiness: cloud,
            lamps: Vec::new(),
        };
        let weather = weather(condition, level, direct, &lighting, random);
        Self {
            condition,
            lighting,
            weather,
        }
    }

    /// Lamps burn in the dark, in rain and in fog.
    pub(super) fn has_head_lamps(&self) -> bool {
        self.condition != Condition::Day
    }

    /// Street lamps burn at dusk and at night.
    pub(super) fn has_street_lamps(&self) -> bool {
        matches!(self.condition, Condition::Dusk | Condition::Night)
    }

    /// The lighting with the lamps nearest to a place.
    pub(super) fn lighting_at(
        &self,
        here: &Point3<f64>,
        lamps: impl Iterator<Item = PointLight>,
    ) -> Lighting {
        let mut near: Vec<(f64, PointLight)> = lamps
            .map(|lamp| ((lamp.position - here).norm(), lamp))
            .filter(|(distance, _)| *distance < LAMP_RANGE_M)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(MOST_LAMPS);
        Lighting {
            lamps: near.into_iter().map(|(_, lamp)| lamp).collect(),
            ..self.lighting.clone()
        }
    }
}

fn weather(
    condition: Condition,
    level: f64,
    direct: f64,
    lighting: &Lighting,
    random: &mut Random,
) -> Weather {
    let (rain, wetness) = match condition {
        Condition::Rain => (random.between(0.35, 1.0), random.between(0.6, 1.0)),
        Condition::Dusk | Condition::Night if random.chance(0.3) => (0.0, random.between(0.3, 0.9)),
        Condition::Fog => (0.0, random.between(0.0, 0.6)),
        _ => (0.0, 0.0),
    };
    let extinction = match condition {
        Condition::Fog => random.between(0.02, 0.06),
        Condition::Rain => random.between(0.004, 0.012),
        _ => random.between(0.0005, 0.003),
    };
    // What the exposure control aims at: the light that falls on flat ground.
    let ground = level
        * (SUN * direct * lighting.sun_direction.z.max(0.15)
            + 0.5
            + 0.3 * f64::from(lighting.cloudiness));
    let lamps = match condition {
        Condition::Night => 0.0095,
        Condition::Dusk => 0.004,
        _ => 0.0,
    };
    // A dusk that is exposed like noon looks like noon; a white sky leaves less to the ground.
    let aim = match condition {
        Condition::Dusk => 0.6,
        Condition::Day => 1.15 - 0.3 * f64::from(lighting.cloudiness),
        _ => 1.0,
    };
    let exposure = aim * random.between(0.85, 1.2) / (ground + lamps);
    let fog_level = 0.8;
    Weather {
        fog: Fog {
            extinction_per_m: extinction as f32,
            rgb: lighting.sky_horizon_rgb.map(|channel| channel * fog_level),
        },
        rain: rain as f32,
        wetness: wetness as f32,
        sensor_gain: (exposure / 0.75).max(1.0).sqrt() as f32,
        exposure: exposure as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_gives_finite_light_and_a_sun_above_the_horizon() {
        for condition in Condition::ALL {
            for seed in 0..50 {
                let sky = Sky::draw(condition, &mut Random::new(seed, 0));
                assert!(sky.lighting.sun_direction.z > 0.0);
                assert!((sky.lighting.sun_direction.norm() - 1.0).abs() < 1e-9);
                let weather = sky.weather;
                assert!(
                    weather.exposure.is_finite()
                        && weather.exposure > 0.0
                        && weather.sensor_gain >= 1.0
                );
                assert!(
                    sky.lighting
                        .sky_zenith_rgb
                        .iter()
                        .all(|channel| *channel > 0.0)
                );
            }
        }
    }

    #[test]
    fn night_is_darker_than_day() {
        let level = |condition| {
            Sky::draw(condition, &mut Random::new(1, 0))
                .lighting
                .sky_zenith_rgb[1]
        };
        assert!(level(Condition::Night) < 0.05 * level(Condition::Day));
    }

    #[test]
    fn nearest_lamps_are_kept() {
        let sky = Sky::draw(Condition::Night, &mut Random::new(1, 0));
        let lamps = (0..100).map(|i| PointLight {
            position: Point3::new(f64::from(i), 0.0, 5.0),
            direction: None,
            rgb: [1.0; 3],
        });
        let lighting = sky.lighting_at(&Point3::origin(), lamps);
        assert_eq!(lighting.lamps.len(), MOST_LAMPS);
        assert!(lighting.lamps.iter().all(|lamp| lamp.position.x < 24.0));
    }
}
