//! Cars, vans, trucks, buses and two-wheelers.

use super::builder::Builder;
use super::people::add_rider;
use super::{Dice, Shape};
use crate::ObjectClass;
use crate::scene::Material;
use nalgebra::Point3;

/// Body paints as seen on roads: mostly white, grey and black, some colours. Linear RGB.
const PAINTS: [[f32; 3]; 12] = [
    [0.70, 0.70, 0.68],
    [0.62, 0.62, 0.60],
    [0.30, 0.31, 0.32],
    [0.12, 0.12, 0.13],
    [0.03, 0.03, 0.035],
    [0.05, 0.05, 0.06],
    [0.32, 0.03, 0.03],
    [0.03, 0.07, 0.25],
    [0.04, 0.14, 0.30],
    [0.05, 0.14, 0.06],
    [0.45, 0.38, 0.22],
    [0.50, 0.22, 0.03],
];

/// A vehicle of `class` with proportions, paint and details drawn from `seed`; cones and pedestrians, which are no
/// vehicles, give their own shapes.
pub fn vehicle(class: ObjectClass, seed: u64) -> Shape {
    let mut dice = Dice::new(seed ^ 0x56E1);
    match class {
        ObjectClass::Car => car(&mut dice),
        ObjectClass::Van => van(&mut dice),
        ObjectClass::Truck => truck(&mut dice),
        ObjectClass::Bus => bus(&mut dice),
        ObjectClass::Motorcycle => two_wheeler(&mut dice, true),
        ObjectClass::Cyclist => two_wheeler(&mut dice, false),
        ObjectClass::Pedestrian => super::pedestrian(seed),
        ObjectClass::Cone => super::cone(),
    }
}

/// Materials that every motor vehicle has.
struct Skin {
    paint: u16,
    glass: u16,
    rubber: u16,
    trim: u16,
    head_lamp: u16,
    tail_lamp: u16,
    plate: u16,
}

fn skin(builder: &mut Builder, dice: &mut Dice, gloss: f32) -> Skin {
    let rgb = dice.pick(&PAINTS);
    let shade = dice.range(0.8, 1.15);
    Skin {
        paint: builder.material(Material::Plain {
            rgb: rgb.map(|level| (level * shade).min(0.85)),
            gloss,
        }),
        glass: builder.material(Material::Glass),
        rubber: builder.material(Material::Rubber),
        trim: builder.material(Material::Plain {
            rgb: [0.03, 0.03, 0.03],
            gloss: 0.1,
        }),
        head_lamp: builder.material(Material::Lamp {
            rgb: [1.6, 1.5, 1.3],
        }),
        tail_lamp: builder.material(Material::Lamp {
            rgb: [0.7, 0.03, 0.02],
        }),
        plate: builder.material(Material::Plain {
            rgb: [0.75, 0.75, 0.70],
            gloss: 0.1,
        }),
    }
}

fn wheels(
    builder: &mut Builder,
    axles: &[f32],
    half_width: f32,
    radius: f32,
    rubber: u16,
    rim: u16,
) {
    for &x in axles {
        for side in [-1.0, 1.0] {
            let outer = side * (half_width + 0.005);
            let inner = side * (half_width - 0.22);
            let at = |y| Point3::new(x, y, radius);
            builder.cylinder(at(inner), at(outer), [radius, radius], 10, rubber);
            builder.cylinder(
                at(outer),
                at(outer + side * 0.015),
                [radius * 0.6, radius * 0.55],
                8,
                rim,
            );
        }
    }
}

/// Lamps, plates and bumpers at both ends; `nose` and `tail` are x of the ends.
fn ends(builder: &mut Builder, skin: &Skin, nose: f32, tail: f32, half_width: f32, lamp_z: f32) {
    let lamp = |builder: &mut Builder, x: f32, depth: f32, y: f32, material: u16| {
        builder.cuboid(
            [x - depth, y - 0.18, lamp_z - 0.07],
            [x + depth, y + 0.18, lamp_z + 0.07],
            material,
        );
    };
    for side in [-1.0, 1.0] {
        let y = side * (half_width - 0.24);
        lamp(builder, nose, 0.03, y, skin.head_lamp);
        lamp(builder, tail, 0.03, y, skin.tail_lamp);
    }
    for (x, sign) in [(nose, 1.0), (tail, -1.0)] {
        let (a, b) = (x - 0.02, x + 0.02 * sign + 0.02);
        builder.cuboid(
            [a.min(b), -0.26, 0.42],
            [a.max(b) + 0.01, 0.26, 0.53],
            skin.plate,
        );
        builder.cuboid(
            [x - 0.04, -half_width + 0.1, 0.22],
            [x + 0.04, half_width - 0.1, 0.40],
            skin.trim,
        );
    }
}

fn car(dice: &mut Dice) -> Shape {
    let length = dice.range(3.6, 5.0);
    let width = dice.range(1.68, 1.95);
    let is_tall = dice.chance(0.35);
    let height = if is_tall {
        dice.range(1.6, 1.8)
    } else {
        dice.range(1.38, 1.52)
    };
    let mut builder = Builder::new();
    let skin = skin(&mut builder, dice, 0.6);
    let half = width / 2.0;
    let (nose, tail) = (length / 2.0, -length / 2.0);
    let belt = height * dice.range(0.56, 0.62);
    let hood = belt * dice.range(0.86, 0.98);
    let is_hatch = is_tall || dice.chance(0.5);
    let boot = if is_hatch {
        tail + 0.10
    } else {
        tail + length * 0.17
    };
    let screen = nose - length * dice.range(0.24, 0.30);
    // Lower body.
    let body = [
        [tail + 0.05, 0.20],
        [nose - 0.08, 0.20],
        [nose, 0.45],
        [nose - 0.06, hood - 0.08],
        [nose - 0.30, hood],
        [screen, belt],
        [boot, belt],
        [tail + 0.02, belt - 0.04],
        [tail, 0.50],
    ];
    let widths = [
        half - 0.06,
        half - 0.06,
        half - 0.10,
        half - 0.06,
        half - 0.05,
        half - 0.02,
        half - 0.02,
        half - 0.05,
        half - 0.04,
    ];
    builder.extruded(&body, &widths, skin.paint, &[skin.paint]);
    // Cabin: glass all around, painted roof.
    let roof_front = screen - length * 0.15;
    let roof_back = if is_hatch {
        boot + 0.28
    } else {
        boot + length * 0.13
    };
    let cabin = [
        [boot + 0.02, belt],
        [screen, belt],
        [roof_front, height - 0.03],
        [roof_back, height - 0.03],
    ];
    let inset = 0.17;
    let cabin_widths = [half - 0.05, half - 0.05, half - inset, half - inset];
    builder.extruded(
        &cabin,
        &cabin_widths,
        skin.glass,
        &[skin.glass, skin.glass, skin.paint, skin.glass],
    );
    builder.tapered_box(
        [roof_back, -half + inset, height - 0.05],
        [roof_front, half - inset, height],
        [0.05, 0.05],
        skin.paint,
    );
    // Pillars cut the side glass into windows.
    let middle = (roof_front + roof_back) / 2.0;
    for x in [middle, roof_back + 0.08] {
        for side in [-1.0, 1.0] {
            let (y0, y1) = (side * (half - 0.045), side * (half - inset + 0.01));
            let quad = [
                Point3::new(x - 0.06, y0, belt),
                Point3::new(x + 0.06, y0, belt),
                Point3::new(x + 0.05, y1, height - 0.04),
                Point3::new(x - 0.05, y1, height - 0.04),
            ];
            let flipped = [quad[1], quad[0], quad[3], quad[2]];
            builder.polygon(if side < 0.0 { &quad } else { &flipped }, skin.trim);
        }
    }
    for side in [-1.0f32, 1.0] {
        let (a, b) = (side * (half - 0.02), side * half);
        builder.cuboid(
            [screen - 0.35, a.min(b), belt - 0.02],
            [screen - 0.18, a.max(b), belt + 0.13],
            skin.paint,
        );
    }
    ends(
        &mut builder,
        &skin,
        nose - 0.03,
        tail + 0.03,
        half - 0.05,
        hood - 0.16,
    );
    let radius = if is_tall { 0.35 } else { 0.32 };
    wheels(
        &mut builder,
        &[nose - length * 0.18, tail + length * 0.19],
        half - 0.03,
        radius,
        skin.rubber,
        skin.plate,
    );
    builder.fitted([length, width, height])
}

fn van(dice: &mut Dice) -> Shape {
    let length = dice.range(4.9, 6.4);
    let width = dice.range(1.95, 2.1);
    let height = dice.range(2.0, 2.7);
    let mut builder = Builder::new();
    let skin = skin(&mut builder, dice, 0.5);
    let half = width / 2.0;
    let (nose, tail) = (length / 2.0, -length / 2.0);
    let belt = 1.05;
    let screen = nose - 0.65;
    let body = [
        [tail, 0.25],
        [nose - 0.05, 0.25],
        [nose, 0.55],
        [nose - 0.08, 0.98],
        [screen, belt + 0.05],
        [screen - 0.75, height],
        [tail + 0.06, height],
    ];
    let widths = [
        half - 0.03,
        half - 0.05,
        half - 0.08,
        half - 0.06,
        half - 0.03,
        half - 0.12,
        half - 0.10,
    ];
    builder.extruded(
        &body,
        &widths,
        skin.paint,
        &[
            skin.trim, skin.paint, skin.paint, skin.paint, skin.glass, skin.paint, skin.paint,
        ],
    );
    side_windows(
        &mut builder,
        screen - 1.45,
        screen - 0.45,
        belt + 0.02,
        height - 0.55,
        half - 0.028,
        skin.glass,
    );
    if dice.chance(0.4) {
        side_windows(
            &mut builder,
            tail + 0.4,
            screen - 1.7,
            belt + 0.02,
            height - 0.5,
            half - 0.028,
            skin.glass,
        );
    }
    builder.cuboid(
        [tail - 0.005, -half + 0.25, height * 0.58],
        [tail, half - 0.25, height * 0.85],
        skin.glass,
    );
    mirrors(&mut builder, screen - 0.2, half, belt + 0.1, skin.trim);
    ends(
        &mut builder,
        &skin,
        nose - 0.02,
        tail + 0.02,
        half - 0.05,
        0.82,
    );
    wheels(
        &mut builder,
        &[nose - 0.95, tail + 1.05],
        half - 0.03,
        0.34,
        skin.rubber,
        skin.plate,
    );
    builder.fitted([length, width, height])
}

/// Thin glass panes on both flanks.
fn side_windows(builder: &mut Builder, x0: f32, x1: f32, z0: f32, z1: f32, half: f32, glass: u16) {
    for side in [-1.0f32, 1.0] {
        let (a, b) = (side * (half - 0.02), side * (half + 0.006));
        builder.cuboid([x0, a.min(b), z0], [x1, a.max(b), z1], glass);
    }
}

fn mirrors(builder: &mut Builder, x: f32, half: f32, z: f32, trim: u16) {
    for side in [-1.0f32, 1.0] {
        let (a, b) = (side * (half - 0.04), side * half);
        builder.cuboid(
            [x - 0.08, a.min(b), z],
            [x + 0.08, a.max(b), z + 0.25],
            trim,
        );
    }
}

fn truck(dice: &mut Dice) -> Shape {
    let length = dice.range(6.5, 11.5);
    let width = dice.range(2.3, 2.55);
    let height = dice.range(2.9, 3.8);
    let mut builder = Builder::new();
    let skin = skin(&mut builder, dice, 0.4);
    let cargo_rgb = dice.pick(&[
        [0.68, 0.68, 0.66],
        [0.45, 0.46, 0.48],
        [0.30, 0.05, 0.04],
        [0.05, 0.10, 0.28],
        [0.55, 0.45, 0.12],
    ]);
    let cargo = builder.material(Material::Plain {
        rgb: cargo_rgb,
        gloss: 0.15,
    });
    let metal = builder.material(Material::Metal);
    let half = width / 2.0;
    let (nose, tail) = (length / 2.0, -length / 2.0);
    let cab_back = nose - dice.range(1.7, 2.2);
    let cab_height = (height - dice.range(0.1, 0.8)).max(2.5);
    let cab = [
        [cab_back, 0.5],
        [nose - 0.03, 0.5],
        [nose, 0.8],
        [nose - 0.03, 1.45],
        [nose - 0.16, cab_height - 0.35],
        [nose - 0.45, cab_height],
        [cab_back, cab_height],
    ];
    let widths = [half - 0.06; 7];
    builder.extruded(
        &cab,
        &widths,
        skin.paint,
        &[
            skin.trim, skin.paint, skin.paint, skin.glass, skin.paint, skin.paint, skin.paint,
        ],
    );
    side_windows(
        &mut builder,
        nose - 1.25,
        nose - 0.35,
        1.5,
        cab_height - 0.55,
        half - 0.06,
        skin.glass,
    );
    mirrors(&mut builder, nose - 0.25, half, 1.6, skin.trim);
    // Chassis and cargo.
    builder.cuboid([tail + 0.1, -0.45, 0.55], [nose - 0.3, 0.45, 0.85], metal);
    if dice.chance(0.75) {
        builder.cuboid([tail, -half, 0.95], [cab_back - 0.15, half, height], cargo);
        builder.cuboid(
            [tail - 0.005, -0.02, 1.0],
            [tail, 0.02, height - 0.05],
            metal,
        );
    } else {
        builder.cuboid([tail, -half, 0.95], [cab_back - 0.15, half, 1.15], metal);
        let load = height * dice.range(0.5, 0.8);
        builder.tapered_box(
            [tail + 0.3, -half + 0.15, 1.15],
            [cab_back - 0.4, half - 0.15, load],
            [0.3, 0.3],
            cargo,
        );
        builder.cuboid(
            [cab_back - 0.22, -half + 0.05, 1.15],
            [cab_back - 0.15, half - 0.05, height],
            metal,
        );
    }
    ends(
        &mut builder,
        &skin,
        nose - 0.02,
        tail + 0.03,
        half - 0.08,
        0.78,
    );
    wheels(
        &mut builder,
        &[nose - 1.2, tail + 1.2, tail + 2.35],
        half - 0.06,
        0.48,
        skin.rubber,
        metal,
    );
    builder.fitted([length, width, height])
}

fn bus(dice: &mut Dice) -> Shape {
    let length = dice.range(9.5, 12.2);
    let width = 2.5;
    let height = dice.range(2.9, 3.2);
    let mut builder = Builder::new();
    let skin = skin(&mut builder, dice, 0.5);
    let sign = builder.material(Material::Lamp {
        rgb: [0.8, 0.45, 0.05],
    });
    let half = width / 2.0;
    let (nose, tail) = (length / 2.0, -length / 2.0);
    let body = [
        [tail, 0.3],
        [nose - 0.05, 0.3],
        [nose, 1.0],
        [nose - 0.18, height - 0.4],
        [nose - 0.25, height],
        [tail + 0.1, height],
    ];
    builder.extruded(
        &body,
        &[half - 0.04; 6],
        skin.paint,
        &[
            skin.trim, skin.paint, skin.glass, skin.paint, skin.paint, skin.paint,
        ],
    );
    builder.cuboid(
        [nose - 0.24, -0.8, height - 0.36],
        [nose - 0.14, 0.8, height - 0.12],
        sign,
    );
    let panes = 6;
    let (from, to) = (tail + 0.5, nose - 0.5);
    let pitch = (to - from) / panes as f32;
    for i in 0..panes {
        let x = from + i as f32 * pitch;
        side_windows(
            &mut builder,
            x + 0.06,
            x + pitch - 0.06,
            1.25,
            height - 0.5,
            half - 0.04,
            skin.glass,
        );
    }
    builder.cuboid(
        [tail - 0.005, -0.9, 1.5],
        [tail, 0.9, height - 0.4],
        skin.glass,
    );
    mirrors(&mut builder, nose - 0.1, half, 2.0, skin.trim);
    ends(
        &mut builder,
        &skin,
        nose - 0.01,
        tail + 0.02,
        half - 0.06,
        0.75,
    );
    wheels(
        &mut builder,
        &[nose - 2.6, tail + 3.0],
        half - 0.05,
        0.48,
        skin.rubber,
        skin.plate,
    );
    builder.fitted([length, width, height])
}

fn two_wheeler(dice: &mut Dice, is_motor: bool) -> Shape {
    let length = if is_motor {
        dice.range(1.95, 2.25)
    } else {
        dice.range(1.65, 1.85)
    };
    let width = if is_motor {
        dice.range(0.72, 0.85)
    } else {
        dice.range(0.55, 0.65)
    };
    let height = if is_motor {
        dice.range(1.45, 1.65)
    } else {
        dice.range(1.60, 1.80)
    };
    let mut builder = Builder::new();
    let rgb = dice.pick(&PAINTS);
    let paint = builder.material(Material::Plain { rgb, gloss: 0.5 });
    let rubber = builder.material(Material::Rubber);
    let metal = builder.material(Material::Metal);
    let lamp = builder.material(Material::Lamp {
        rgb: [1.4, 1.3, 1.1],
    });
    let tail_lamp = builder.material(Material::Lamp {
        rgb: [0.6, 0.02, 0.02],
    });
    let radius = if is_motor { 0.31 } else { 0.34 };
    let tyre = if is_motor { 0.07 } else { 0.022 };
    let axle = length / 2.0 - radius;
    for x in [-axle, axle] {
        builder.cylinder(
            Point3::new(x, -tyre, radius),
            Point3::new(x, tyre, radius),
            [radius, radius],
            12,
            rubber,
        );
    }
    let rod = |builder: &mut Builder, a: [f32; 3], b: [f32; 3], r: f32, m: u16| {
        builder.cylinder(Point3::from(a), Point3::from(b), [r, r], 5, m);
    };
    let bar = width / 2.0;
    if is_motor {
        builder.tapered_box(
            [-axle * 0.7, -0.15, 0.35],
            [axle * 0.6, 0.15, 0.82],
            [0.12, 0.04],
            paint,
        );
        builder.cuboid([-axle - 0.15, -0.13, 0.72], [-0.05, 0.13, 0.84], rubber);
        rod(
            &mut builder,
            [axle, 0.0, radius],
            [axle * 0.62, 0.0, 1.0],
            0.05,
            metal,
        );
        rod(
            &mut builder,
            [axle * 0.55, -bar, 1.02],
            [axle * 0.55, bar, 1.02],
            0.03,
            metal,
        );
        builder.cuboid(
            [axle * 0.75, -0.1, 0.82],
            [axle * 0.75 + 0.1, 0.1, 0.98],
            lamp,
        );
        builder.cuboid(
            [-axle - 0.2, -0.08, 0.7],
            [-axle - 0.15, 0.08, 0.78],
            tail_lamp,
        );
        add_rider(&mut builder, dice, [-0.18, 0.82], height);
    } else {
        rod(
            &mut builder,
            [-axle, 0.0, radius],
            [0.0, 0.0, 0.30],
            0.02,
            paint,
        );
        rod(
            &mut builder,
            [0.0, 0.0, 0.30],
            [axle * 0.75, 0.0, 0.85],
            0.025,
            paint,
        );
        rod(
            &mut builder,
            [-0.15, 0.0, 0.88],
            [0.0, 0.0, 0.30],
            0.02,
            paint,
        );
        rod(
            &mut builder,
            [axle, 0.0, radius],
            [axle * 0.7, 0.0, 1.0],
            0.02,
            metal,
        );
        rod(
            &mut builder,
            [axle * 0.66, -bar, 1.02],
            [axle * 0.66, bar, 1.02],
            0.018,
            metal,
        );
        builder.cuboid([-axle - 0.05, -0.04, 0.62], [-axle, 0.04, 0.7], tail_lamp);
        add_rider(&mut builder, dice, [-0.15, 0.90], height);
    }
    builder.fitted([length, width, height])
}
