//! Pedestrians and riders.

use super::builder::Builder;
use super::{Dice, Shape};
use crate::scene::Material;
use nalgebra::Point3;

/// Clothes, linear RGB.
const CLOTHES: [[f32; 3]; 10] = [
    [0.03, 0.03, 0.04],
    [0.06, 0.07, 0.14],
    [0.25, 0.25, 0.26],
    [0.55, 0.54, 0.50],
    [0.35, 0.04, 0.04],
    [0.04, 0.15, 0.30],
    [0.08, 0.20, 0.08],
    [0.50, 0.40, 0.10],
    [0.30, 0.20, 0.12],
    [0.45, 0.20, 0.28],
];

const SKIN: [[f32; 3]; 3] = [[0.55, 0.35, 0.26], [0.35, 0.20, 0.13], [0.15, 0.08, 0.05]];

/// A standing or walking person with clothes, height and stride drawn from `seed`.
pub fn pedestrian(seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0x9ED5);
    let height = if dice.chance(0.15) {
        dice.range(1.15, 1.5)
    } else {
        dice.range(1.58, 1.9)
    };
    let mut builder = Builder::new();
    let top = cloth(&mut builder, &mut dice);
    let legs = cloth(&mut builder, &mut dice);
    let skin = builder.material(Material::Plain {
        rgb: dice.pick(&SKIN),
        gloss: 0.05,
    });
    let hair = builder.material(Material::Plain {
        rgb: dice.pick(&[[0.02, 0.015, 0.01], [0.12, 0.07, 0.03], [0.3, 0.28, 0.25]]),
        gloss: 0.1,
    });
    let shoes = builder.material(Material::Plain {
        rgb: [0.02, 0.02, 0.02],
        gloss: 0.1,
    });
    let stride = dice.range(0.05, 0.32);
    for side in [-1.0f32, 1.0] {
        let foot_x = side * stride;
        let hip = Point3::new(0.0, side * 0.09, 0.88);
        let ankle = Point3::new(foot_x, side * 0.10, 0.08);
        builder.cylinder(ankle, hip, [0.06, 0.095], 6, legs);
        builder.cuboid(
            [foot_x - 0.08, side * 0.10 - 0.05, 0.0],
            [foot_x + 0.18, side * 0.10 + 0.05, 0.09],
            shoes,
        );
        let hand = Point3::new(-foot_x * 0.9, side * 0.26, 0.85);
        builder.cylinder(
            hand,
            Point3::new(0.0, side * 0.21, 1.42),
            [0.045, 0.06],
            5,
            top,
        );
    }
    builder.tapered_box([-0.13, -0.22, 0.84], [0.13, 0.22, 1.46], [0.02, 0.03], top);
    head(&mut builder, [0.0, 1.62], skin, hair);
    if dice.chance(0.3) {
        let bag = cloth(&mut builder, &mut dice);
        builder.cuboid([-0.30, -0.15, 1.0], [-0.12, 0.15, 1.40], bag);
    }
    let width = dice.range(0.52, 0.66);
    let length = (2.0 * stride + 0.26).max(0.42);
    builder.fitted([length, width, height])
}

fn cloth(builder: &mut Builder, dice: &mut Dice) -> u16 {
    let rgb = dice.pick(&CLOTHES);
    builder.material(Material::Plain { rgb, gloss: 0.0 })
}

fn head(builder: &mut Builder, centre: [f32; 2], skin: u16, hair: u16) {
    let [x, z] = centre;
    builder.cylinder(
        Point3::new(x, 0.0, z - 0.18),
        Point3::new(x, 0.0, z - 0.08),
        [0.055, 0.055],
        5,
        skin,
    );
    builder.ellipsoid(
        Point3::new(x + 0.01, 0.0, z),
        [0.10, 0.08, 0.12],
        5,
        8,
        skin,
        || 0.0,
    );
    builder.ellipsoid(
        Point3::new(x - 0.02, 0.0, z + 0.03),
        [0.105, 0.09, 0.11],
        5,
        8,
        hair,
        || 0.0,
    );
}

/// Adds a seated rider: hips at `seat` = [x, z], head top at `height`, hands forward.
pub(super) fn add_rider(builder: &mut Builder, dice: &mut Dice, seat: [f32; 2], height: f32) {
    let top = cloth(builder, dice);
    let legs = cloth(builder, dice);
    let helmet = builder.material(Material::Plain {
        rgb: dice.pick(&CLOTHES),
        gloss: 0.5,
    });
    let [x, z] = seat;
    let shoulder_z = height - 0.32;
    let lean = 0.28;
    for side in [-1.0f32, 1.0] {
        let hip = Point3::new(x, side * 0.10, z);
        let knee = Point3::new(x + 0.38, side * 0.14, z - 0.15);
        let foot = Point3::new(x + 0.20, side * 0.13, z - 0.55);
        builder.cylinder(hip, knee, [0.085, 0.07], 5, legs);
        builder.cylinder(knee, foot, [0.065, 0.05], 5, legs);
        let shoulder = Point3::new(x + lean, side * 0.19, shoulder_z);
        builder.cylinder(
            Point3::new(x + lean + 0.42, side * 0.22, z + 0.15),
            shoulder,
            [0.04, 0.055],
            5,
            top,
        );
    }
    builder.cylinder(
        Point3::new(x, 0.0, z - 0.05),
        Point3::new(x + lean, 0.0, shoulder_z + 0.04),
        [0.17, 0.20],
        7,
        top,
    );
    builder.ellipsoid(
        Point3::new(x + lean + 0.06, 0.0, height - 0.14),
        [0.13, 0.11, 0.14],
        5,
        8,
        helmet,
        || 0.0,
    );
}
