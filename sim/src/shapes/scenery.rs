//! What stands beside the road: buildings, trees, poles, rails, cones.

use super::builder::Builder;
use super::{Dice, Shape};
use crate::scene::Material;
use nalgebra::Point3;

/// A traffic cone with a white band.
pub fn cone() -> Shape {
    let mut builder = Builder::new();
    let orange = builder.material(Material::Plain {
        rgb: [0.75, 0.14, 0.02],
        gloss: 0.1,
    });
    let white = builder.material(Material::Plain {
        rgb: [0.75, 0.75, 0.75],
        gloss: 0.2,
    });
    let black = builder.material(Material::Rubber);
    builder.cuboid([-0.19, -0.19, 0.0], [0.19, 0.19, 0.04], black);
    let at = |z| Point3::new(0.0, 0.0, z);
    builder.cylinder(at(0.04), at(0.30), [0.15, 0.10], 10, orange);
    builder.cylinder(at(0.30), at(0.50), [0.10, 0.065], 10, white);
    builder.cylinder(at(0.50), at(0.74), [0.065, 0.025], 10, orange);
    builder.fitted([0.38, 0.38, 0.74])
}

/// A broad-leaved or conifer tree, 4 to 12 m high.
pub fn tree(seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0x7EEE);
    let mut builder = Builder::new();
    let bark = builder.material(Material::Bark);
    let height = dice.range(4.0, 12.0);
    let green = dice.range(0.7, 1.3);
    let autumn = if dice.chance(0.2) {
        dice.range(1.5, 3.5)
    } else {
        1.0
    };
    let leaf = builder.material(Material::Foliage {
        rgb: [0.05 * green * autumn, 0.11 * green, 0.025 * green],
    });
    let trunk = height * dice.range(0.03, 0.045) * 0.6;
    if dice.chance(0.25) {
        let skirt = dice.range(0.8, 1.6);
        builder.cylinder(
            Point3::origin(),
            Point3::new(0.0, 0.0, skirt + 0.5),
            [trunk, trunk * 0.8],
            6,
            bark,
        );
        let tiers = 4;
        for i in 0..tiers {
            let low = skirt + (height - skirt) * i as f32 / tiers as f32;
            let high = (low + (height - skirt) * 0.42).min(height);
            let radius = height * 0.22 * (1.0 - 0.75 * i as f32 / tiers as f32);
            builder.cylinder(
                Point3::new(0.0, 0.0, low),
                Point3::new(0.0, 0.0, high),
                [radius, 0.0],
                9,
                leaf,
            );
        }
        return builder.finish();
    }
    let crown_low = height * dice.range(0.28, 0.42);
    builder.cylinder(
        Point3::origin(),
        Point3::new(
            dice.range(-0.2, 0.2),
            dice.range(-0.2, 0.2),
            crown_low + 0.8,
        ),
        [trunk, trunk * 0.7],
        6,
        bark,
    );
    let spread = (height - crown_low) * dice.range(0.32, 0.5);
    let blobs = 3 + dice.index(3);
    for i in 0..blobs {
        let z = crown_low + (height - crown_low) * (0.35 + 0.4 * i as f32 / blobs as f32);
        let r = spread * dice.range(0.6, 0.9);
        let centre = Point3::new(
            dice.range(-0.45, 0.45) * spread,
            dice.range(-0.45, 0.45) * spread,
            z,
        );
        builder.ellipsoid(
            centre,
            [r, r, r * dice.range(0.75, 1.0)],
            6,
            9,
            leaf,
            || dice.range(-0.14, 0.14),
        );
    }
    builder.finish()
}

/// A bush or a stretch of hedge, 0.6 to 1.6 m high.
pub fn bush(seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0xB054);
    let mut builder = Builder::new();
    let green = dice.range(0.7, 1.3);
    let leaf = builder.material(Material::Foliage {
        rgb: [0.05 * green, 0.10 * green, 0.03 * green],
    });
    let height = dice.range(0.6, 1.6);
    for _ in 0..2 + dice.index(3) {
        let r = dice.range(0.4, 0.9);
        let centre = Point3::new(dice.range(-0.8, 0.8), dice.range(-0.5, 0.5), height * 0.45);
        builder.ellipsoid(centre, [r, r, height * 0.5], 5, 8, leaf, || {
            dice.range(-0.15, 0.15)
        });
    }
    builder.finish()
}

/// A building of `width` (x) by `depth` (y) by `height`, metres, with windows, a plinth and a roof.
pub fn building(width: f32, depth: f32, height: f32, seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0xB01D);
    let mut builder = Builder::new();
    let base = dice.pick(&[
        [0.42, 0.36, 0.28],
        [0.50, 0.47, 0.42],
        [0.30, 0.14, 0.09],
        [0.36, 0.36, 0.37],
        [0.55, 0.45, 0.30],
        [0.20, 0.21, 0.23],
        [0.60, 0.58, 0.55],
        [0.38, 0.22, 0.16],
    ]);
    let shade = dice.range(0.75, 1.2);
    let rgb = base.map(|level| (level * shade).min(0.8));
    let facade = builder.material(Material::Facade {
        rgb,
        style: dice.index(1024) as u32,
    });
    let plinth = builder.material(Material::Concrete);
    let roof = builder.material(Material::Plain {
        rgb: dice.pick(&[[0.22, 0.07, 0.04], [0.10, 0.10, 0.11], [0.16, 0.13, 0.10]]),
        gloss: 0.0,
    });
    let (x, y) = (width / 2.0, depth / 2.0);
    builder.cuboid(
        [-x - 0.06, -y - 0.06, -1.5],
        [x + 0.06, y + 0.06, 0.5],
        plinth,
    );
    let corner = |i: usize, z: f32| {
        let [sx, sy] = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]][i % 4];
        Point3::new(sx * x, sy * y, z)
    };
    for i in 0..4 {
        builder.polygon(
            &[
                corner(i, 0.5),
                corner(i + 1, 0.5),
                corner(i + 1, height),
                corner(i, height),
            ],
            facade,
        );
    }
    if height < 13.0 && dice.chance(0.7) {
        let ridge = height + depth.min(width) * dice.range(0.2, 0.4);
        let eave = 0.4;
        let at = |sx: f32, sy: f32, z: f32| Point3::new(sx * (x + eave), sy * (y + eave), z);
        let (left, right) = (at(-1.0, 0.0, ridge), at(1.0, 0.0, ridge));
        builder.polygon(
            &[at(-1.0, -1.0, height), at(1.0, -1.0, height), right, left],
            roof,
        );
        builder.polygon(
            &[at(1.0, 1.0, height), at(-1.0, 1.0, height), left, right],
            roof,
        );
        builder.polygon(
            &[at(1.0, -1.0, height), at(1.0, 1.0, height), right],
            facade,
        );
        builder.polygon(
            &[at(-1.0, 1.0, height), at(-1.0, -1.0, height), left],
            facade,
        );
    } else {
        builder.cuboid(
            [-x - 0.1, -y - 0.1, height],
            [x + 0.1, y + 0.1, height + 0.5],
            roof,
        );
    }
    builder.finish()
}

/// A street lamp 7.5 m high whose arm reaches along +x.
pub fn street_lamp() -> Shape {
    let mut builder = Builder::new();
    let metal = builder.material(Material::Metal);
    let lamp = builder.material(Material::Lamp {
        rgb: [2.2, 1.7, 1.0],
    });
    builder.cylinder(
        Point3::origin(),
        Point3::new(0.0, 0.0, 7.3),
        [0.10, 0.06],
        6,
        metal,
    );
    builder.cylinder(
        Point3::new(0.0, 0.0, 7.3),
        Point3::new(1.6, 0.0, 7.5),
        [0.05, 0.04],
        5,
        metal,
    );
    builder.cuboid([1.3, -0.12, 7.38], [1.9, 0.12, 7.42], lamp);
    builder.cuboid([1.3, -0.14, 7.42], [1.9, 0.14, 7.54], metal);
    builder.finish()
}

/// A traffic sign on a pole, its face towards −x (towards oncoming drivers when placed with the road's heading).
pub fn sign(seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0x5160);
    let mut builder = Builder::new().double_sided();
    let metal = builder.material(Material::Metal);
    let height = dice.range(2.2, 2.9);
    builder.cylinder(
        Point3::origin(),
        Point3::new(0.0, 0.0, height + 0.3),
        [0.035, 0.035],
        5,
        metal,
    );
    let plain = |builder: &mut Builder, rgb| builder.material(Material::Plain { rgb, gloss: 0.2 });
    let red = plain(&mut builder, [0.55, 0.02, 0.02]);
    let white = plain(&mut builder, [0.75, 0.75, 0.75]);
    let blue = plain(&mut builder, [0.02, 0.10, 0.45]);
    let yellow = plain(&mut builder, [0.70, 0.50, 0.02]);
    let disc =
        |builder: &mut Builder, x: f32, radius: f32, sides: usize, turn: f32, material: u16| {
            let points: Vec<_> = (0..sides)
                .map(|i| {
                    let angle = turn + i as f32 / sides as f32 * std::f32::consts::TAU;
                    Point3::new(x, radius * angle.sin(), height + radius * angle.cos())
                })
                .collect();
            builder.polygon(&points, material);
        };
    match dice.index(4) {
        0 => {
            disc(&mut builder, -0.04, 0.36, 14, 0.0, red);
            disc(&mut builder, -0.05, 0.27, 14, 0.0, white);
        }
        1 => {
            disc(&mut builder, -0.04, 0.45, 3, 0.0, red);
            disc(&mut builder, -0.05, 0.30, 3, 0.0, white);
        }
        2 => disc(&mut builder, -0.04, 0.36, 14, 0.0, blue),
        _ => disc(&mut builder, -0.04, 0.40, 4, 0.0, yellow),
    }
    builder.finish()
}

/// A guard rail along x, centred, `length` metres long.
pub fn guard_rail(length: f32) -> Shape {
    let mut builder = Builder::new();
    let metal = builder.material(Material::Metal);
    let half = length / 2.0;
    builder.cuboid([-half, -0.04, 0.45], [half, 0.04, 0.75], metal);
    let posts = (length / 4.0).ceil().max(1.0) as usize;
    for i in 0..=posts {
        let x = -half + length * i as f32 / posts as f32;
        builder.cuboid([x - 0.05, -0.06, -0.5], [x + 0.05, 0.02, 0.72], metal);
    }
    builder.finish()
}

/// A traffic light on a pole, its lamps towards −x.
pub fn traffic_light() -> Shape {
    let mut builder = Builder::new().without_shadow();
    let metal = builder.material(Material::Metal);
    let black = builder.material(Material::Plain {
        rgb: [0.02, 0.02, 0.02],
        gloss: 0.1,
    });
    let red = builder.material(Material::Lamp {
        rgb: [1.0, 0.05, 0.03],
    });
    let dark = builder.material(Material::Plain {
        rgb: [0.05, 0.06, 0.03],
        gloss: 0.3,
    });
    builder.cylinder(
        Point3::origin(),
        Point3::new(0.0, 0.0, 3.4),
        [0.07, 0.06],
        6,
        metal,
    );
    builder.cuboid([-0.15, -0.16, 2.4], [0.1, 0.16, 3.35], black);
    for (i, material) in [dark, dark, red].into_iter().enumerate() {
        let z = 2.55 + 0.3 * i as f32;
        builder.cylinder(
            Point3::new(-0.15, 0.0, z),
            Point3::new(-0.19, 0.0, z),
            [0.1, 0.1],
            8,
            material,
        );
    }
    builder.finish()
}
