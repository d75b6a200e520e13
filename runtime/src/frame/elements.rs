//! The elements of an output frame: objects, markings, coverage sectors.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use super::{MAX_CROSSWALK_POINTS, MAX_LANE_POINTS, MAX_STOP_LINE_POINTS};

/// [`OutputLane::ego_relation`] of a line that is no border of a lane beside us.
pub const LANE_RELATION_UNKNOWN: i8 = 0;

/// A point in the ego frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct FramePoint {
    /// Forward.
    pub x_m: f32,
    /// Left.
    pub y_m: f32,
    /// Up.
    pub z_m: f32,
}

/// A road user or a cone, as an upright box.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputObject {
    /// Time since the track began, up to the stamp of the frame.
    pub age_ns: i64,
    /// Time since the network last saw it; 0 unless coasting.
    pub coasting_ns: i64,
    /// Stable identity, never 0.
    pub id: u32,
    /// [`ObjectClass`](super::ObjectClass).
    pub class: u8,
    /// 1 while the object is hidden and its state extrapolated, else 0.
    pub is_coasting: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Centre of the box.
    pub x_m: f32,
    /// Centre of the box.
    pub y_m: f32,
    /// Centre of the box.
    pub z_m: f32,
    /// Extent along the heading.
    pub length_m: f32,
    /// Extent across the heading.
    pub width_m: f32,
    /// Vertical extent.
    pub height_m: f32,
    /// Heading, counter-clockwise from ego +x.
    pub yaw_rad: f32,
    /// Velocity over ground along ego x.
    pub vx_mps: f32,
    /// Velocity over ground along ego y.
    pub vy_mps: f32,
    /// Turning rate over ground, counter-clockwise positive.
    pub yaw_rate_radps: f32,
    /// Standard deviation of `x_m`.
    pub sigma_x_m: f32,
    /// Standard deviation of `y_m`.
    pub sigma_y_m: f32,
    /// Standard deviation of `yaw_rad`.
    pub sigma_yaw_rad: f32,
    /// Standard deviation of `vx_mps`.
    pub sigma_vx_mps: f32,
    /// Standard deviation of `vy_mps`.
    pub sigma_vy_mps: f32,
    /// Standard deviation of length, width and height as a part of each (of their logarithms).
    pub sigma_size_ratio: f32,
    /// In [0, 1].
    pub confidence: f32,
    /// Zero.
    pub reserved_end: u32,
}

/// One painted line or road edge, cut at junctions, changes of type and the range border.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputLane {
    /// Time since the track began, up to the stamp of the frame.
    pub age_ns: i64,
    /// Stable identity, never 0.
    pub id: u32,
    /// [`MarkingType`](super::MarkingType).
    pub marking: u8,
    /// [`MarkingColour`](super::MarkingColour); white for road edges.
    pub colour: u8,
    /// Valid entries of `point_entries`.
    pub point_count: u8,
    /// 1 while nothing of the line is seen and all of it is remembered, else 0.
    pub is_coasting: u8,
    /// Order of the line beside us: +1 the next line to the left, +2 the one beyond, −1 the next
    /// to the right; [`LANE_RELATION_UNKNOWN`] where the line does not pass us.
    pub ego_relation: i8,
    /// Zero.
    pub reserved: [u8; 3],
    /// In [0, 1].
    pub confidence: f32,
    /// Standard deviation across the line.
    pub sigma_lateral_m: f32,
    /// Zero.
    pub reserved_end: u32,
    /// Points along the line; read them by [`OutputLane::points`].
    pub point_entries: [FramePoint; MAX_LANE_POINTS],
}

/// An arrow painted on the road.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputArrow {
    /// Identity, or 0 where arrows are not tracked.
    pub id: u32,
    /// [`ArrowDirections`](super::ArrowDirections): straight 1, left 2, right 4, u-turn 8.
    pub directions: u8,
    /// 1 while the arrow is not seen and remembered, else 0.
    pub is_coasting: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Centre.
    pub x_m: f32,
    /// Centre.
    pub y_m: f32,
    /// Centre.
    pub z_m: f32,
    /// Direction of its shaft, counter-clockwise from ego +x.
    pub yaw_rad: f32,
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f32,
    /// In [0, 1].
    pub confidence: f32,
}

/// A crosswalk, as a polygon.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputCrosswalk {
    /// Identity, or 0 where crosswalks are not tracked.
    pub id: u32,
    /// Valid entries of `point_entries`.
    pub point_count: u8,
    /// 1 while the crosswalk is not seen and remembered, else 0.
    pub is_coasting: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Walking direction across the road, in (−π/2, π/2]: it has period π.
    pub theta_rad: f32,
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f32,
    /// In [0, 1].
    pub confidence: f32,
    /// Zero.
    pub reserved_end: u32,
    /// Corners, counter-clockwise from above; read them by [`OutputCrosswalk::points`].
    pub point_entries: [FramePoint; MAX_CROSSWALK_POINTS],
}

/// A stop line, as a polyline along its middle.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputStopLine {
    /// Identity, or 0 where stop lines are not tracked.
    pub id: u32,
    /// Valid entries of `point_entries`.
    pub point_count: u8,
    /// 1 while the stop line is not seen and remembered, else 0.
    pub is_coasting: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Standard deviation of the centre, in each direction.
    pub sigma_position_m: f32,
    /// In [0, 1].
    pub confidence: f32,
    /// Points along the line; read them by [`OutputStopLine::points`].
    pub point_entries: [FramePoint; MAX_STOP_LINE_POINTS],
}

/// What is known about one direction around the vehicle.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct SectorCoverage {
    /// Age of the history that `range_m` rests on; 0 when seen now or unseen.
    pub age_ns: i64,
    /// How far from the ego origin the sector is covered; 0 when unseen.
    pub range_m: f32,
    /// [`CoverageState`](super::CoverageState).
    pub state: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

macro_rules! empty {
    ($($name:ident),+) => {$(
        impl $name {
            /// All zero.
            pub const EMPTY: Self = zerocopy::transmute!([0_u8; size_of::<$name>()]);
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new_zeroed()
            }
        }
    )+};
}

empty!(
    OutputObject,
    OutputLane,
    OutputArrow,
    OutputCrosswalk,
    OutputStopLine,
    SectorCoverage
);

macro_rules! points {
    ($($name:ident),+) => {$(
        impl $name {
            /// The valid points, in the ego frame.
            pub fn points(&self) -> &[FramePoint] {
                &self.point_entries[..usize::from(self.point_count).min(self.point_entries.len())]
            }

            /// Replaces the points; those beyond the capacity are left out.
            ///
            /// Returns how many were taken.
            pub fn set_points(&mut self, points: impl IntoIterator<Item = FramePoint>) -> usize {
                self.point_entries = [FramePoint::default(); _];
                let mut count = 0;
                for (entry, point) in self.point_entries.iter_mut().zip(points) {
                    *entry = point;
                    count += 1;
                }
                self.point_count = count as u8;
                count
            }
        }
    )+};
}

points!(OutputLane, OutputCrosswalk, OutputStopLine);

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<FramePoint>() == 12);
    assert!(size_of::<OutputObject>() == 96);
    assert!(offset_of!(OutputObject, id) == 16);
    assert!(offset_of!(OutputObject, x_m) == 24);
    assert!(offset_of!(OutputObject, confidence) == 88);
    assert!(size_of::<OutputLane>() == 608);
    assert!(offset_of!(OutputLane, ego_relation) == 16);
    assert!(offset_of!(OutputLane, point_entries) == 32);
    assert!(size_of::<OutputArrow>() == 32);
    assert!(size_of::<OutputCrosswalk>() == 120);
    assert!(offset_of!(OutputCrosswalk, point_entries) == 24);
    assert!(size_of::<OutputStopLine>() == 112);
    assert!(offset_of!(OutputStopLine, point_entries) == 16);
    assert!(size_of::<SectorCoverage>() == 16);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_beyond_the_capacity_are_left_out() {
        let mut stop_line = OutputStopLine::EMPTY;
        let point = FramePoint {
            x_m: 1.0,
            y_m: 2.0,
            z_m: 0.0,
        };
        assert_eq!(
            stop_line.set_points(std::iter::repeat_n(point, 20)),
            MAX_STOP_LINE_POINTS
        );
        assert_eq!(stop_line.points().len(), MAX_STOP_LINE_POINTS);
        assert_eq!(stop_line.set_points([point, point]), 2);
        assert_eq!(stop_line.point_entries[2], FramePoint::default());
    }

    #[test]
    fn a_point_count_from_outside_is_clamped() {
        let lane = OutputLane {
            point_count: 255,
            ..OutputLane::EMPTY
        };
        assert_eq!(lane.points().len(), MAX_LANE_POINTS);
    }
}
