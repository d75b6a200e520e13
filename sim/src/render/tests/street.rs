//! A straight street with traffic, houses and trees, built without the world generator.

use crate::ObjectClass;
use crate::scene::{
    Fog, Instance, InstanceId, Lighting, Material, Mesh, PointLight, Scene, Triangle, Vertex,
    Weather,
};
use crate::shapes::{Shape, building, bush, cone, pedestrian, sign, street_lamp, tree, vehicle};
use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector3};
use std::sync::Arc;

/// Light and weather of a test picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Mood {
    Day,
    Dusk,
    Night,
    Rain,
    Fog,
}

/// A horizontal rectangle with its own material; corners at (`low`, `z`) and (`high`, `z`).
pub(in crate::render) fn slab(
    low: [f32; 2],
    high: [f32; 2],
    z: f32,
    material: Material,
    layer: u8,
) -> Instance {
    let corner = |x: f32, y: f32| Vertex {
        position: Point3::new(x, y, z),
        normal: Vector3::z(),
        uv: [x, y],
    };
    let vertices = vec![
        corner(low[0], low[1]),
        corner(high[0], low[1]),
        corner(high[0], high[1]),
        corner(low[0], high[1]),
    ];
    let triangles = vec![
        Triangle {
            corners: [0, 1, 2],
            material: 0,
        },
        Triangle {
            corners: [0, 2, 3],
            material: 0,
        },
    ];
    let mesh = Mesh {
        vertices,
        triangles,
        materials: vec![material],
        layer,
        ..Mesh::default()
    };
    let centre = Point3::new((low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0, z);
    let radius = (high[0] - low[0]).hypot(high[1] - low[1]) / 2.0;
    Instance {
        mesh: Arc::new(mesh),
        world_from_mesh: Isometry3::identity(),
        scale: Vector3::repeat(1.0),
        id: InstanceId(0),
        bounds: (centre, radius),
    }
}

/// A shape on the ground at (x, y), turned by `yaw` radians.
pub(in crate::render) fn placed(shape: &Shape, x: f64, y: f64, yaw: f64, id: u32) -> Instance {
    let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw);
    Instance {
        mesh: Arc::clone(&shape.mesh),
        world_from_mesh: Isometry3::from_parts(Translation3::new(x, y, 0.0), rotation),
        scale: Vector3::repeat(1.0),
        id: InstanceId(id),
        bounds: shape.bounds,
    }
}

/// The street under a mood; the camera vehicle stands at the origin and drives along x.
pub(in crate::render) fn street(mood: Mood) -> Scene {
    let mut instances = ground();
    traffic(&mut instances);
    roadside(&mut instances);
    let (lighting, weather) = sky(mood);
    Scene {
        instances,
        lighting,
        weather,
        seed: 11,
        frame: 3,
    }
}

fn ground() -> Vec<Instance> {
    let mut all = Vec::new();
    for i in -4..4 {
        let (x0, x1) = (i as f32 * 50.0, (i + 1) as f32 * 50.0);
        all.push(slab([x0, -120.0], [x1, 120.0], -0.02, Material::Grass, 0));
        all.push(slab(
            [x0, -9.0],
            [x1, 9.0],
            0.0,
            Material::Asphalt { tint: 0.6 },
            1,
        ));
        for side in [-1.0f32, 1.0] {
            let (a, b) = (side * 9.0, side * 12.0);
            all.push(slab(
                [x0, a.min(b)],
                [x1, a.max(b)],
                0.0,
                Material::Concrete,
                1,
            ));
            let (a, b) = (side * 8.7, side * 8.85);
            all.push(slab(
                [x0, a.min(b)],
                [x1, a.max(b)],
                0.0,
                Material::Paint {
                    yellow: false,
                    wear: 0.3,
                },
                2,
            ));
        }
        let line = |y: f32| {
            slab(
                [x0, y - 0.08],
                [x1, y + 0.08],
                0.0,
                Material::Paint {
                    yellow: true,
                    wear: 0.4,
                },
                2,
            )
        };
        all.push(line(1.85));
        all.push(line(2.15));
        for dash in 0..6 {
            let x = x0 + dash as f32 * 8.33;
            all.push(slab(
                [x, -3.6],
                [x + 3.0, -3.45],
                0.0,
                Material::Paint {
                    yellow: false,
                    wear: 0.5,
                },
                2,
            ));
            all.push(slab(
                [x, 5.4],
                [x + 3.0, 5.55],
                0.0,
                Material::Paint {
                    yellow: false,
                    wear: 0.2,
                },
                2,
            ));
        }
    }
    for stripe in 0..14 {
        let y = -8.2 + stripe as f32 * 1.2;
        all.push(slab(
            [22.0, y],
            [26.0, y + 0.5],
            0.0,
            Material::Paint {
                yellow: false,
                wear: 0.35,
            },
            2,
        ));
    }
    all.push(slab(
        [20.0, -8.6],
        [20.4, 1.8],
        0.0,
        Material::Paint {
            yellow: false,
            wear: 0.3,
        },
        2,
    ));
    all
}

fn traffic(all: &mut Vec<Instance>) {
    use ObjectClass::{Bus, Car, Cyclist, Motorcycle, Truck, Van};
    let list = [
        (Car, 1, 14.0, -1.0, 0.0),
        (Car, 2, 30.0, -5.5, 0.0),
        (Van, 3, 42.0, -1.0, 0.02),
        (Truck, 4, 60.0, -5.6, 0.0),
        (Bus, 5, 35.0, 7.0, std::f64::consts::PI),
        (Car, 6, 18.0, 3.8, std::f64::consts::PI),
        (Car, 7, -12.0, -1.0, 0.0),
        (Motorcycle, 8, 9.0, -5.0, 0.0),
        (Cyclist, 9, 12.0, 7.6, std::f64::consts::PI),
        (Car, 10, 3.0, -5.6, 0.0),
        (Truck, 11, 2.0, 4.0, std::f64::consts::PI),
        (Car, 12, -25.0, 3.9, std::f64::consts::PI),
    ];
    for (class, id, x, y, yaw) in list {
        all.push(placed(&vehicle(class, 40 + u64::from(id)), x, y, yaw, id));
    }
    for (id, x, y) in [
        (20, 24.0, -6.0),
        (21, 23.0, 6.5),
        (22, 8.0, -10.0),
        (23, -6.0, 10.5),
    ] {
        all.push(placed(&pedestrian(u64::from(id)), x, y, 1.2, id));
    }
    for id in 30..34 {
        all.push(placed(
            &cone(),
            16.0 + f64::from(id - 30) * 3.0,
            -7.6,
            0.0,
            id,
        ));
    }
}

fn roadside(all: &mut Vec<Instance>) {
    for i in 0..14 {
        let x = -80.0 + 16.0 * f64::from(i);
        let seed = i as u64;
        all.push(placed(
            &building(13.0, 11.0, 8.0 + (i * 5 % 14) as f32, seed),
            x,
            24.0,
            0.0,
            0,
        ));
        all.push(placed(
            &building(15.0, 12.0, 7.0 + (i * 7 % 17) as f32, seed + 50),
            x,
            -23.0,
            0.0,
            0,
        ));
        all.push(placed(&tree(seed), x + 4.0, 13.0, seed as f64, 0));
        all.push(placed(&tree(seed + 9), x - 3.0, -13.5, seed as f64, 0));
        all.push(placed(&bush(seed), x, -13.0, seed as f64, 0));
        if i % 2 == 0 {
            all.push(placed(&street_lamp(), x, -9.4, 1.57, 0));
            all.push(placed(&sign(seed), x + 7.0, -9.6, 0.0, 0));
        }
    }
}

fn sky(mood: Mood) -> (Lighting, Weather) {
    let sun = |azimuth: f64, elevation: f64| {
        Vector3::new(
            azimuth.cos() * elevation.cos(),
            azimuth.sin() * elevation.cos(),
            elevation.sin(),
        )
    };
    let mut lighting = Lighting {
        sun_direction: sun(1.1, 0.75),
        sun_rgb: [1.0, 0.95, 0.85],
        sky_zenith_rgb: [0.13, 0.24, 0.46],
        sky_horizon_rgb: [0.45, 0.55, 0.68],
        cloudiness: 0.35,
        lamps: Vec::new(),
    };
    let fog = Fog {
        extinction_per_m: 0.0012,
        rgb: [0.5, 0.57, 0.66],
    };
    let mut weather = Weather {
        fog,
        rain: 0.0,
        wetness: 0.0,
        sensor_gain: 1.0,
        exposure: 1.0,
    };
    match mood {
        Mood::Day => {}
        Mood::Dusk => {
            lighting.sun_direction = sun(0.5, 0.11);
            lighting.sun_rgb = [0.42, 0.22, 0.09];
            lighting.sky_zenith_rgb = [0.035, 0.05, 0.10];
            lighting.sky_horizon_rgb = [0.22, 0.14, 0.10];
            weather.fog = Fog {
                extinction_per_m: 0.002,
                rgb: [0.17, 0.13, 0.12],
            };
            weather.exposure = 3.2;
            weather.sensor_gain = 3.0;
        }
        Mood::Night => {
            lighting.sun_rgb = [0.0; 3];
            lighting.sky_zenith_rgb = [0.0006, 0.0008, 0.0016];
            lighting.sky_horizon_rgb = [0.002, 0.0018, 0.002];
            weather.fog = Fog {
                extinction_per_m: 0.0015,
                rgb: [0.0015, 0.0014, 0.0016],
            };
            weather.exposure = 45.0;
            weather.sensor_gain = 12.0;
            night_lamps(&mut lighting);
        }
        Mood::Rain => {
            lighting.sun_rgb = [0.0; 3];
            lighting.sky_zenith_rgb = [0.26, 0.28, 0.31];
            lighting.sky_horizon_rgb = [0.34, 0.36, 0.38];
            lighting.cloudiness = 1.0;
            weather = Weather {
                fog: Fog {
                    extinction_per_m: 0.008,
                    rgb: [0.32, 0.34, 0.36],
                },
                rain: 0.7,
                wetness: 0.9,
                sensor_gain: 2.0,
                exposure: 1.9,
            };
        }
        Mood::Fog => {
            lighting.sun_rgb = [0.0; 3];
            lighting.sky_zenith_rgb = [0.42, 0.43, 0.44];
            lighting.sky_horizon_rgb = [0.42, 0.43, 0.44];
            lighting.cloudiness = 1.0;
            weather.fog = Fog {
                extinction_per_m: 0.03,
                rgb: [0.42, 0.43, 0.44],
            };
            weather.exposure = 1.6;
        }
    }
    (lighting, weather)
}

fn night_lamps(lighting: &mut Lighting) {
    for side in [-0.6, 0.6] {
        lighting.lamps.push(PointLight {
            position: Point3::new(3.6, side, 0.65),
            direction: Some(Vector3::new(0.9994, -0.01, -0.03)),
            rgb: [6.0, 5.6, 5.0],
        });
        lighting.lamps.push(PointLight {
            position: Point3::new(16.0, 3.8 + side, 0.65),
            direction: Some(Vector3::new(-0.9994, 0.01, -0.03)),
            rgb: [4.0, 3.8, 3.5],
        });
    }
    for i in (0..14).step_by(2) {
        lighting.lamps.push(PointLight {
            position: Point3::new(-80.0 + 16.0 * f64::from(i), -7.8, 7.4),
            direction: None,
            rgb: [0.9, 0.7, 0.42],
        });
    }
}
