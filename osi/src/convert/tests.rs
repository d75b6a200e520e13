use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use bevrt_runtime::{
    ArrowDirections, COVERAGE_SECTORS, CoverageState, FramePoint, HealthState, MarkingColour,
    MarkingType, OutputArrow, OutputCrosswalk, OutputFrame, OutputLane, OutputObject,
    OutputStopLine,
};

use super::*;
use crate::messages::kinds::{
    BoundaryColour, BoundaryType, DataQualifier, MainSign, MeasurementState, MovingType,
    StationaryType, VehicleType,
};
use crate::messages::{BaseStationary, DetectedRoadMarking};

const SENSOR: VirtualSensor = VirtualSensor {
    id: 5,
    rear_axle_height_m: 0.25,
};
const MOTION: HostMotion = HostMotion {
    velocity_mps: [10.0, 0.5],
    yaw_rate_radps: 0.5,
};

fn point(x_m: f32, y_m: f32, z_m: f32) -> FramePoint {
    FramePoint { x_m, y_m, z_m }
}

fn car() -> OutputObject {
    OutputObject {
        age_ns: 1_500_000_000,
        id: 9,
        x_m: 20.0,
        y_m: 4.0,
        z_m: 0.75,
        length_m: 4.5,
        width_m: 2.0,
        height_m: 1.5,
        yaw_rad: 0.5,
        vx_mps: 8.0,
        vy_mps: -1.0,
        yaw_rate_radps: 0.25,
        sigma_x_m: 0.5,
        sigma_y_m: 0.25,
        sigma_yaw_rad: 0.125,
        sigma_vx_mps: 1.0,
        sigma_vy_mps: 2.0,
        sigma_size_ratio: 0.5,
        confidence: 0.75,
        ..OutputObject::EMPTY
    }
}

fn with_object(object: OutputObject) -> Box<OutputFrame> {
    let mut frame = OutputFrame::boxed();
    frame.try_push_object(object).expect("the frame is empty");
    frame
}

fn xyz(vector: Option<Vector3d>) -> [Option<f64>; 3] {
    let vector = vector.expect("it is set");
    [vector.x, vector.y, vector.z]
}

fn sign_of(marking: &DetectedRoadMarking) -> Option<i32> {
    marking.candidate[0].classification?.traffic_main_sign_type
}

/// Where the axes of a box point, by the definition of yaw, pitch and roll.
fn axes(base: &BaseStationary) -> [[f64; 3]; 3] {
    let angles = base.orientation.expect("it is turned");
    let angle = |angle: Option<f64>| angle.expect("all three are told");
    let rotation =
        nalgebra::Rotation3::from_axis_angle(&nalgebra::Vector3::z_axis(), angle(angles.yaw))
            * nalgebra::Rotation3::from_axis_angle(
                &nalgebra::Vector3::y_axis(),
                angle(angles.pitch),
            )
            * nalgebra::Rotation3::from_axis_angle(
                &nalgebra::Vector3::x_axis(),
                angle(angles.roll),
            );
    [0, 1, 2].map(|axis| rotation.matrix().column(axis).into_owned().into())
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let is_near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(is_near, "found {found:?}, expected {expected:?}");
}

#[test]
fn times_sensor_and_mounting_stand_in_the_message() {
    let mut frame = OutputFrame::boxed();
    frame.stamp_ns = 2_000_000_001;
    frame.now_ns = 2_100_000_000;
    frame.sequence = 17;
    let message = sensor_data(&frame, &SENSOR, None);
    assert_eq!(message.timestamp, Some(timestamp(2_100_000_000)));
    assert_eq!(
        message.last_measurement_time,
        Some(timestamp(2_000_000_001))
    );
    assert_eq!(message.sensor_id, Some(Identifier { value: Some(5) }));
    let mounting = message.mounting_position.expect("it is set");
    assert_eq!(xyz(mounting.position), [Some(0.0), Some(0.0), Some(-0.25)]);
    let header = message.lane_boundary_header.expect("it is set");
    assert_eq!(header.cycle_counter, Some(17));
    assert_eq!(header.measurement_time, Some(timestamp(2_000_000_001)));
    assert_eq!(message.virtual_detection_area, None);
}

#[test]
fn a_car_is_a_vehicle_with_its_state_and_deviations() {
    let message = sensor_data(&with_object(car()), &SENSOR, Some(&MOTION));
    let [object] = &message.moving_object[..] else {
        panic!("{:?}", message.moving_object);
    };
    let header = object.header.expect("it is set");
    assert_eq!(header.tracking_id, Some(Identifier { value: Some(9) }));
    assert_eq!(header.existence_probability, Some(0.75));
    assert_eq!(header.age, Some(1.5));
    let measured = MeasurementState::Measured;
    assert_eq!(header.measurement_state(), measured);
    let (base, rmse) = (
        object.base.expect("it is set"),
        object.base_rmse.expect("it is set"),
    );
    assert_eq!(xyz(base.position), [Some(20.0), Some(4.0), Some(0.75)]);
    assert_eq!(base.dimension.and_then(|d| d.width), Some(2.0));
    assert_eq!(base.orientation.and_then(|o| o.yaw), Some(0.5));
    assert_eq!(xyz(rmse.position), [Some(0.5), Some(0.25), None]);
    assert_eq!(rmse.dimension.and_then(|d| d.length), Some(2.25));
    assert_eq!(xyz(rmse.velocity), [Some(1.0), Some(2.0), None]);
    let [candidate] = &object.candidate[..] else {
        panic!("{:?}", object.candidate);
    };
    assert_eq!(candidate.r#type(), MovingType::Vehicle);
    let vehicle = candidate.vehicle_classification.expect("it is a vehicle");
    assert_eq!(vehicle.r#type(), VehicleType::Car);
}

#[test]
fn velocities_are_seen_from_the_moving_vehicle() {
    let message = sensor_data(&with_object(car()), &SENSOR, Some(&MOTION));
    let base = message.moving_object[0].base.expect("it is set");
    // 8 − 10 + 0.5·4 and −1 − 0.5 − 0.5·20.
    assert_eq!(xyz(base.velocity), [Some(0.0), Some(-11.5), None]);
    assert_eq!(base.orientation_rate.and_then(|o| o.yaw), Some(-0.25));

    let message = sensor_data(&with_object(car()), &SENSOR, None);
    let base = message.moving_object[0].base.expect("it is set");
    assert_eq!((base.velocity, base.orientation_rate), (None, None));
}

#[test]
fn every_class_has_its_place() {
    let expected = [
        (MovingType::Vehicle, Some(VehicleType::Car)),
        (MovingType::Vehicle, Some(VehicleType::Van)),
        (MovingType::Vehicle, Some(VehicleType::HeavyTruck)),
        (MovingType::Vehicle, Some(VehicleType::Bus)),
        (MovingType::Vehicle, Some(VehicleType::Motorcycle)),
        (MovingType::Vehicle, Some(VehicleType::Bicycle)),
        (MovingType::Pedestrian, None),
    ];
    let of_class = |class: u8| {
        let object = OutputObject { class, ..car() };
        sensor_data(&with_object(object), &SENSOR, None)
    };
    for (class, expected) in (0..).zip(expected) {
        let candidate = of_class(class).moving_object[0].candidate[0];
        let vehicle = candidate.vehicle_classification.map(|v| v.r#type());
        assert_eq!((candidate.r#type(), vehicle), expected, "class {class}");
    }
    let cone = of_class(ObjectClass::Cone.into());
    assert!(cone.moving_object.is_empty());
    let kind = cone.stationary_object[0].candidate[0].classification;
    let site = StationaryType::ConstructionSiteElement;
    assert_eq!(kind.expect("it is set").r#type(), site);
    let unknown = of_class(200).moving_object[0].candidate[0];
    assert_eq!(unknown.r#type(), MovingType::Unknown);
}

#[test]
fn what_is_hidden_is_predicted() {
    let object = OutputObject {
        is_coasting: 1,
        ..car()
    };
    let message = sensor_data(&with_object(object), &SENSOR, None);
    let header = message.moving_object[0].header.expect("it is set");
    assert_eq!(header.measurement_state(), MeasurementState::Predicted);
}

#[test]
fn health_is_the_qualifier_of_every_kind() {
    for (state, expected) in [
        (HealthState::Ok.into(), DataQualifier::Available),
        (
            HealthState::Degraded.into(),
            DataQualifier::AvailableReduced,
        ),
        (HealthState::Fault.into(), DataQualifier::NotAvailable),
        (99, DataQualifier::Unknown),
    ] {
        let mut frame = OutputFrame::boxed();
        frame.health.state = state;
        let message = sensor_data(&frame, &SENSOR, None);
        for header in [
            message.moving_object_header,
            message.stationary_object_header,
            message.road_marking_header,
            message.lane_boundary_header,
        ] {
            assert_eq!(header.map(|h| h.data_qualifier()), Some(expected));
        }
    }
}

#[test]
fn a_line_has_type_colour_and_deviations_across_it() {
    let mut lane = OutputLane {
        id: 3,
        marking: MarkingType::Dashed.into(),
        colour: MarkingColour::Yellow.into(),
        confidence: 0.5,
        sigma_lateral_m: 0.5,
        ..OutputLane::EMPTY
    };
    // A corner: along x, then along y.
    lane.set_points([
        point(0.0, 2.0, 0.5),
        point(5.0, 2.0, 0.5),
        point(5.0, 7.0, 0.5),
    ]);
    let mut frame = OutputFrame::boxed();
    frame.try_push_lane(lane).expect("the frame is empty");
    let message = sensor_data(&frame, &SENSOR, None);
    let boundary = &message.lane_boundary[0];
    assert_eq!(boundary.boundary_line_confidences, [0.5; 3]);
    let position = boundary.boundary_line[1].position;
    assert_eq!(xyz(position), [Some(5.0), Some(2.0), Some(0.5)]);
    let deviations: Vec<_> = boundary
        .boundary_line_rmse
        .iter()
        .map(|point| xyz(point.position))
        .collect();
    assert_eq!(deviations[0], [Some(0.0), Some(0.5), None]);
    assert_eq!(deviations[2], [Some(0.5), Some(0.0), None]);
    let diagonal = 0.5 * FRAC_PI_4.sin();
    let [Some(x), Some(y), None] = deviations[1] else {
        panic!("{deviations:?}");
    };
    assert_near(&[x, y], &[diagonal, diagonal]);
    let kind = boundary.candidate[0].classification.expect("it is set");
    assert_eq!(kind.r#type(), BoundaryType::DashedLine);
    assert_eq!(kind.color(), BoundaryColour::Yellow);
}

#[test]
fn double_lines_are_solid_and_road_edges_have_no_colour() {
    let kind_of = |marking: MarkingType| {
        let mut frame = OutputFrame::boxed();
        let lane = OutputLane {
            marking: marking.into(),
            ..OutputLane::EMPTY
        };
        frame.try_push_lane(lane).expect("the frame is empty");
        let message = sensor_data(&frame, &SENSOR, None);
        let boundary = &message.lane_boundary[0];
        boundary.candidate[0].classification.expect("it is set")
    };
    let double = kind_of(MarkingType::Double);
    assert_eq!(double.r#type(), BoundaryType::SolidLine);
    assert_eq!(double.color, Some(BoundaryColour::White.into()));
    let edge = kind_of(MarkingType::RoadEdge);
    assert_eq!(edge.r#type(), BoundaryType::RoadEdge);
    assert_eq!(edge.color, None);
}

#[test]
fn an_arrow_lies_on_its_back_with_its_head_ahead() {
    for yaw_rad in [0.0_f32, 0.5, 3.0, -2.0] {
        let mut frame = OutputFrame::boxed();
        let arrow = OutputArrow {
            directions: 3,
            x_m: 7.0,
            y_m: -1.0,
            yaw_rad,
            sigma_position_m: 0.5,
            ..OutputArrow::EMPTY
        };
        frame.try_push_arrow(arrow).expect("the frame is empty");
        let message = sensor_data(&frame, &SENSOR, None);
        let marking = &message.road_marking[0];
        assert_eq!(sign_of(marking), Some(MainSign::LeftStraight.into()));
        let [x, y, z] = axes(&marking.base.expect("it is set"));
        let (sine, cosine) = f64::from(yaw_rad).sin_cos();
        assert_near(&x, &[0.0, 0.0, 1.0]);
        assert_near(&y, &[sine, -cosine, 0.0]);
        assert_near(&z, &[cosine, sine, 0.0]);
    }
}

#[test]
fn arrows_have_the_sign_of_their_directions() {
    let numbers: Vec<Option<i32>> = (1..16)
        .map(|directions| {
            let mut frame = OutputFrame::boxed();
            let arrow = OutputArrow {
                directions,
                ..OutputArrow::EMPTY
            };
            frame.try_push_arrow(arrow).expect("the frame is empty");
            sign_of(&sensor_data(&frame, &SENSOR, None).road_marking[0])
        })
        .collect();
    // Straight 22, left 20, both 25, right 21, straight 26, left 27, all 28; then with a U-turn.
    let mut expected = [22, 20, 25, 21, 26, 27, 28].map(Some).to_vec();
    expected.extend([Some(1); 8]);
    assert_eq!(numbers, expected);
    assert_eq!(ArrowDirections::U_TURN.bits(), 8);
}

#[test]
fn a_crosswalk_is_the_box_around_its_corners() {
    let theta_rad = 0.3_f64;
    let (sine, cosine) = theta_rad.sin_cos();
    // 8 m to walk, 4 m broad, its middle at (20, 3).
    let corner = |along: f64, ahead: f64| {
        point(
            (20.0 + cosine * along + sine * ahead) as f32,
            (3.0 + sine * along - cosine * ahead) as f32,
            0.25,
        )
    };
    let mut crosswalk = OutputCrosswalk {
        theta_rad: theta_rad as f32,
        ..OutputCrosswalk::EMPTY
    };
    crosswalk.set_points([
        corner(-4.0, -2.0),
        corner(-4.0, 2.0),
        corner(4.0, 2.0),
        corner(4.0, -2.0),
    ]);
    let mut frame = OutputFrame::boxed();
    frame.try_push_crosswalk(crosswalk).expect("it is empty");
    let message = sensor_data(&frame, &SENSOR, None);
    let marking = &message.road_marking[0];
    assert_eq!(sign_of(marking), Some(MainSign::ZebraCrossing.into()));
    let base = marking.base.expect("it is set");
    let position = xyz(base.position).map(|value| value.expect("it is set"));
    assert_near(&position, &[20.0, 3.0, 0.25]);
    let size = base.dimension.expect("it is set");
    let size = [size.length, size.width, size.height].map(|value| value.expect("it is set"));
    assert_near(&size, &[0.0, 8.0, 4.0]);
    let [_, _, head] = axes(&base);
    assert_near(&head, &[sine, -cosine, 0.0]);
}

#[test]
fn a_stop_line_faces_ahead_whichever_way_its_points_run() {
    for [from, to] in [[-2.0, 4.0], [4.0, -2.0]] {
        let mut line = OutputStopLine::EMPTY;
        line.set_points([point(12.0, from, 0.0), point(12.0, to, 0.0)]);
        let mut frame = OutputFrame::boxed();
        frame.try_push_stop_line(line).expect("it is empty");
        let message = sensor_data(&frame, &SENSOR, None);
        let marking = &message.road_marking[0];
        assert_eq!(sign_of(marking), Some(MainSign::Stop.into()));
        let base = marking.base.expect("it is set");
        let position = xyz(base.position).map(|value| value.expect("it is set"));
        assert_near(&position, &[12.0, 1.0, 0.0]);
        let size = base.dimension.expect("it is set");
        assert!((size.width.expect("it is set") - 6.0).abs() < 1e-5);
        assert_eq!(size.height, None);
        assert_near(&axes(&base)[2], &[1.0, 0.0, 0.0]);
    }
}

#[test]
fn markings_without_a_direction_have_no_box() {
    let mut line = OutputStopLine::EMPTY;
    line.set_points([point(1.0, 1.0, 0.0)]);
    let mut frame = OutputFrame::boxed();
    frame.try_push_stop_line(line).expect("it is empty");
    frame
        .try_push_crosswalk(OutputCrosswalk::EMPTY)
        .expect("it is empty");
    let message = sensor_data(&frame, &SENSOR, None);
    assert!(message.road_marking.iter().all(|m| m.base.is_none()));
}

#[test]
fn the_detection_area_is_what_is_seen_now() {
    let mut frame = OutputFrame::boxed();
    frame.coverage[0].state = CoverageState::SeenNow.into();
    frame.coverage[0].range_m = 50.0;
    frame.coverage[1].state = CoverageState::History.into();
    frame.coverage[1].range_m = 40.0;
    let area = sensor_data(&frame, &SENSOR, None).virtual_detection_area;
    let area = area.expect("a sector is seen");
    let corners: Vec<[f64; 2]> = area.polygon[0]
        .vertex
        .iter()
        .map(|v| [v.x.expect("it is set"), v.y.expect("it is set")])
        .collect();
    let side = 2.0 * PI / COVERAGE_SECTORS as f64;
    assert_eq!(corners.len(), 3);
    assert_near(&corners[0], &[50.0, 0.0]);
    assert_near(&corners[1], &[50.0 * side.cos(), 50.0 * side.sin()]);
    assert_near(&corners[2], &[0.0, 0.0]);
    assert!(side < FRAC_PI_2);
}
