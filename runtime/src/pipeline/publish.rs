//! From tracks to the arrays of the output frame.

use crate::frame::{
    FrameFull, FramePoint, OutputArrow, OutputCrosswalk, OutputFrame, OutputLane, OutputObject,
    OutputStopLine,
};
use crate::heads::{ArrowDetection, CrosswalkDetection, StopLineDetection};
use crate::time::Span;
use crate::tracking::{TrackedElement, TrackedLane, TrackedObject, Tracks};

/// Appends all tracks to the frame.
///
/// # Errors
/// [`FrameFull`] when a kind did not fit; the frame holds as many as it can then.
pub(super) fn publish_into(tracks: &Tracks, out: &mut OutputFrame) -> Result<(), FrameFull> {
    let mut outcome = Ok(());
    for object in &tracks.objects {
        outcome = outcome.and(out.try_push_object(output_object(object)));
    }
    for lane in &tracks.lanes {
        outcome = outcome.and(out.try_push_lane(output_lane(lane)));
    }
    for arrow in &tracks.arrows {
        outcome = outcome.and(out.try_push_arrow(output_arrow(arrow)));
    }
    for crosswalk in &tracks.crosswalks {
        outcome = outcome.and(out.try_push_crosswalk(output_crosswalk(crosswalk)));
    }
    for stop_line in &tracks.stop_lines {
        outcome = outcome.and(out.try_push_stop_line(output_stop_line(stop_line)));
    }
    outcome
}

fn output_object(track: &TrackedObject) -> OutputObject {
    let object = &track.object;
    let [x_m, y_m, z_m] = object.position_m;
    let [length_m, width_m, height_m] = object.size_m;
    let [vx_mps, vy_mps] = object.velocity_mps;
    let [sigma_x_m, sigma_y_m] = object.sigma.position_m;
    let [sigma_vx_mps, sigma_vy_mps] = object.sigma.velocity_mps;
    OutputObject {
        age_ns: nanoseconds(track.age_s),
        coasting_ns: if track.is_coasting {
            nanoseconds(track.unseen_s)
        } else {
            0
        },
        id: track.id,
        class: object.class,
        is_coasting: u8::from(track.is_coasting),
        reserved: [0; 2],
        x_m,
        y_m,
        z_m,
        length_m,
        width_m,
        height_m,
        yaw_rad: object.yaw_rad,
        vx_mps,
        vy_mps,
        yaw_rate_radps: object.yaw_rate_radps,
        sigma_x_m,
        sigma_y_m,
        sigma_yaw_rad: object.sigma.yaw_rad,
        sigma_vx_mps,
        sigma_vy_mps,
        sigma_size_ratio: object.sigma.size_relative,
        confidence: object.confidence,
        reserved_end: 0,
    }
}

fn output_lane(track: &TrackedLane) -> OutputLane {
    let lane = &track.lane;
    let mut out = OutputLane {
        age_ns: nanoseconds(track.age_s),
        id: track.id,
        marking: lane.marking,
        colour: lane.colour,
        is_coasting: u8::from(track.is_coasting),
        ego_relation: track.position,
        confidence: lane.confidence,
        sigma_lateral_m: lane.sigma_lateral_m,
        ..OutputLane::EMPTY
    };
    out.set_points(lane.points().iter().map(|&point| frame_point(point)));
    out
}

fn output_arrow(track: &TrackedElement<ArrowDetection>) -> OutputArrow {
    let arrow = &track.element;
    let [x_m, y_m, z_m] = arrow.position_m;
    OutputArrow {
        id: track.id,
        directions: arrow.directions,
        is_coasting: u8::from(track.is_coasting),
        reserved: [0; 2],
        x_m,
        y_m,
        z_m,
        yaw_rad: arrow.yaw_rad,
        sigma_position_m: arrow.sigma_position_m,
        confidence: arrow.confidence,
    }
}

fn output_crosswalk(track: &TrackedElement<CrosswalkDetection>) -> OutputCrosswalk {
    let crosswalk = &track.element;
    let mut out = OutputCrosswalk {
        id: track.id,
        is_coasting: u8::from(track.is_coasting),
        theta_rad: crosswalk.theta_rad,
        sigma_position_m: crosswalk.sigma_position_m,
        confidence: crosswalk.confidence,
        ..OutputCrosswalk::EMPTY
    };
    out.set_points(crosswalk.corners().map(frame_point));
    out
}

fn output_stop_line(track: &TrackedElement<StopLineDetection>) -> OutputStopLine {
    let stop_line = &track.element;
    let mut out = OutputStopLine {
        id: track.id,
        is_coasting: u8::from(track.is_coasting),
        sigma_position_m: stop_line.sigma_position_m,
        confidence: stop_line.confidence,
        ..OutputStopLine::EMPTY
    };
    out.set_points(stop_line.ends().map(frame_point));
    out
}

fn frame_point([x_m, y_m, z_m]: [f32; 3]) -> FramePoint {
    FramePoint { x_m, y_m, z_m }
}

fn nanoseconds(seconds: f32) -> i64 {
    Span::from_seconds(f64::from(seconds)).nanoseconds()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::{LaneDetection, ObjectDetection};

    #[test]
    fn tracks_stand_in_the_frame_as_they_are() {
        let mut tracks = Tracks::default();
        let object = ObjectDetection {
            class: 6,
            position_m: [12.0, -3.0, 0.9],
            velocity_mps: [0.5, 1.5],
            ..ObjectDetection::default()
        };
        let tracked = TrackedObject {
            object,
            id: 7,
            age_s: 1.5,
            unseen_s: 0.25,
            is_coasting: true,
        };
        tracks.objects.push(tracked).expect("there is room");
        let mut lane = LaneDetection {
            point_count: 2,
            marking: 3,
            ..LaneDetection::default()
        };
        lane.points_m[1] = [4.0, 2.0, 0.1];
        let tracked = TrackedLane {
            lane,
            id: 3,
            age_s: 0.1,
            position: -1,
            is_coasting: true,
        };
        tracks.lanes.push(tracked).expect("there is room");
        let element = CrosswalkDetection {
            length_m: 6.0,
            width_m: 4.0,
            ..CrosswalkDetection::default()
        };
        let tracked = TrackedElement {
            element,
            id: 1,
            age_s: 0.0,
            is_coasting: true,
        };
        tracks.crosswalks.push(tracked).expect("there is room");

        let mut frame = OutputFrame::boxed();
        assert_eq!(publish_into(&tracks, &mut frame), Ok(()));
        let object = &frame.objects()[0];
        assert_eq!((object.id, object.class, object.is_coasting), (7, 6, 1));
        assert_eq!(
            (object.age_ns, object.coasting_ns),
            (1_500_000_000, 250_000_000)
        );
        assert_eq!((object.x_m, object.y_m, object.vy_mps), (12.0, -3.0, 1.5));
        let lane = &frame.lanes()[0];
        assert_eq!((lane.id, lane.marking, lane.ego_relation), (3, 3, -1));
        assert_eq!(lane.is_coasting, 1);
        assert_eq!(
            lane.points()[1],
            FramePoint {
                x_m: 4.0,
                y_m: 2.0,
                z_m: 0.1
            }
        );
        assert_eq!(frame.crosswalks()[0].is_coasting, 1);
        let corners = frame.crosswalks()[0].points();
        assert_eq!(
            corners[0],
            FramePoint {
                x_m: 3.0,
                y_m: 2.0,
                z_m: 0.0
            }
        );
        assert_eq!(corners.len(), 4);
    }
}
