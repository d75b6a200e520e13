//! Cross sections of roads, by the character of the neighbourhood.

use super::super::random::Random;

/// What kind of neighbourhood a drive passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Character {
    Urban,
    Suburban,
    Rural,
}

impl Character {
    pub(super) fn draw(random: &mut Random) -> Self {
        match random.below(20) {
            0..=9 => Self::Urban,
            10..=15 => Self::Suburban,
            _ => Self::Rural,
        }
    }

    /// Smallest and largest distance between junctions on the main road.
    pub(super) fn junction_spacing_m(self) -> (f64, f64) {
        match self {
            Self::Urban => (65.0, 110.0),
            Self::Suburban => (65.0, 125.0),
            Self::Rural => (85.0, 150.0),
        }
    }

    pub(super) fn corner_radius_m(self) -> (f64, f64) {
        match self {
            Self::Urban => (5.0, 9.0),
            Self::Suburban => (5.0, 8.0),
            Self::Rural => (6.0, 10.0),
        }
    }

    pub(super) fn curve_radius_m(self) -> (f64, f64) {
        match self {
            Self::Urban => (60.0, 400.0),
            Self::Suburban => (45.0, 300.0),
            Self::Rural => (42.0, 400.0),
        }
    }
}

/// What a road looks like across; "left" and "right" are seen along its arc length, traffic keeps to the right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// Lanes with and against the arc length.
    pub(crate) lanes: [usize; 2],
    pub(crate) lane_width_m: f64,
    /// Painted gap between the directions.
    pub(crate) median_m: f64,
    /// Paved strip beyond the outer lane on the right and on the left: parking or shoulder.
    pub(crate) strip_m: [f64; 2],
    /// The strip on that side is for parking.
    pub(crate) has_parking: [bool; 2],
    /// Sidewalk beyond the kerb; 0 for none.
    pub(crate) sidewalk_m: f64,
    /// A line between the outer lane and its strip or the edge.
    pub(crate) has_edge_lines: bool,
    /// Lines between the directions and between lanes.
    pub(crate) has_lines: bool,
    /// Yellow centre lines.
    pub(crate) has_yellow_centre: bool,
    /// Centre line on open road: double, single solid, or dashed.
    pub(crate) centre: CentreLine,
    /// Highest speed that drivers want, m/s.
    pub(crate) speed_limit_mps: f64,
    /// Wear of the paint from 0 to 1.
    pub(crate) wear: f64,
    /// Age of the asphalt from 0 to 1.
    pub(crate) tint: f64,
    /// Dash and gap of broken lines, metres.
    pub(crate) dash_m: [f64; 2],
    /// Width of painted lines, metres.
    pub(crate) line_m: f64,
}

/// How the directions of travel are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CentreLine {
    Double,
    Solid,
    Dashed,
}

impl Section {
    pub(super) fn draw_main(character: Character, random: &mut Random) -> Self {
        let per_direction = match character {
            Character::Urban => random.pick(&[1, 1, 2, 2, 2, 3]),
            Character::Suburban => random.pick(&[1, 1, 1, 2]),
            Character::Rural => random.pick(&[1, 1, 1, 1, 2]),
        };
        Self::draw(character, per_direction, random)
    }

    pub(super) fn draw_crossing(character: Character, main: &Self, random: &mut Random) -> Self {
        let two = match character {
            Character::Urban => 0.4,
            Character::Suburban => 0.15,
            Character::Rural => 0.05,
        };
        let mut section = Self::draw(character, if random.chance(two) { 2 } else { 1 }, random);
        // Neighbouring roads share their country's habits.
        section.has_yellow_centre = main.has_yellow_centre;
        section.dash_m = main.dash_m;
        section.sidewalk_m = if main.sidewalk_m > 0.0 {
            section.sidewalk_m
        } else {
            0.0
        };
        section.speed_limit_mps = section.speed_limit_mps.min(11.0);
        section.has_lines = section.lanes[0] > 1 || !random.chance(0.2);
        section.has_edge_lines &= section.has_lines;
        section
    }

    fn draw(character: Character, per_direction: usize, random: &mut Random) -> Self {
        let is_built_up = character != Character::Rural;
        let is_uneven = per_direction > 1 && random.chance(0.15);
        let lanes = [
            per_direction,
            if is_uneven {
                per_direction - 1
            } else {
                per_direction
            },
        ];
        let parking = match character {
            Character::Urban => 0.65,
            Character::Suburban => 0.55,
            Character::Rural => 0.0,
        };
        let has_parking = [random.chance(parking), random.chance(parking)];
        let margin = if is_built_up {
            random.between(0.2, 0.6)
        } else {
            random.between(0.4, 1.4)
        };
        let strip_m = has_parking.map(|has| if has { 2.3 } else { margin });
        let sidewalk_m = match character {
            Character::Urban => random.between(2.4, 4.0),
            Character::Suburban => random.between(1.8, 2.6),
            Character::Rural => 0.0,
        };
        let centre = if per_direction > 1 {
            random.pick(&[CentreLine::Double, CentreLine::Double, CentreLine::Solid])
        } else {
            random.pick(&[
                CentreLine::Dashed,
                CentreLine::Dashed,
                CentreLine::Solid,
                CentreLine::Double,
            ])
        };
        let speed_limit_mps = match character {
            Character::Urban => random.between(8.3, 14.0),
            Character::Suburban => random.between(8.3, 13.9),
            Character::Rural => random.between(11.0, 16.0),
        };
        let (low, high) = if is_built_up { (2.8, 3.5) } else { (2.9, 3.75) };
        Self {
            lanes,
            lane_width_m: random.between(low, high),
            median_m: if per_direction > 1 && random.chance(0.3) {
                random.between(0.5, 1.6)
            } else {
                0.0
            },
            strip_m,
            has_parking,
            sidewalk_m,
            has_edge_lines: !is_built_up || random.chance(0.4),
            has_lines: true,
            has_yellow_centre: random.chance(0.4),
            centre,
            speed_limit_mps,
            wear: random.between(0.0, 0.55),
            tint: random.between(0.1, 0.9),
            dash_m: random.pick(&[
                [3.0, 4.5],
                [3.0, 6.0],
                [3.0, 9.0],
                [4.0, 6.0],
                [2.0, 4.0],
                [6.0, 6.0],
            ]),
            line_m: random.between(0.11, 0.17),
        }
    }

    /// Lateral position of the road's left (+) and right (−) edge: [right, left].
    pub(crate) fn edges_m(&self) -> [f64; 2] {
        let half = |direction: usize| {
            0.5 * self.median_m
                + self.lanes[direction] as f64 * self.lane_width_m
                + self.strip_m[direction]
        };
        [-half(0), half(1)]
    }

    /// Width from kerb to kerb.
    pub(crate) fn paved_width_m(&self) -> f64 {
        let [right, left] = self.edges_m();
        left - right
    }

    /// Lateral position of the middle of a lane; lane 0 is next to the centre line.
    ///
    /// `direction` 0 travels with the arc length (on the right), 1 against it.
    pub(crate) fn lane_centre_m(&self, direction: usize, lane: usize) -> f64 {
        let aside = 0.5 * self.median_m + (lane as f64 + 0.5) * self.lane_width_m;
        if direction == 0 { -aside } else { aside }
    }

    /// Lateral position of the outer border of the outer lane.
    pub(crate) fn lanes_end_m(&self, direction: usize) -> f64 {
        let aside = 0.5 * self.median_m + self.lanes[direction] as f64 * self.lane_width_m;
        if direction == 0 { -aside } else { aside }
    }
}
