//! Road users and cones.

use bevrt_runtime::{ObjectClass, OutputObject};

use super::header;
use crate::host_motion::HostMotion;
use crate::messages::kinds::{MovingType, ReferencePoint, StationaryType, VehicleType};
use crate::messages::{
    BaseMoving, BaseStationary, CandidateMovingObject, CandidateStationaryObject,
    DetectedItemHeader, DetectedMovingObject, DetectedStationaryObject, Dimension3d, Orientation3d,
    StationaryClassification, Vector3d, VehicleClassification,
};
use crate::values::{finite, planar, seconds, turned, vector};

pub(super) fn road_user(
    object: &OutputObject,
    motion: Option<&HostMotion>,
) -> DetectedMovingObject {
    let (base, rmse) = (state(object), deviations(object));
    DetectedMovingObject {
        header: Some(item_header(object)),
        base: Some(BaseMoving {
            dimension: base.dimension,
            position: base.position,
            orientation: base.orientation,
            velocity: motion.and_then(|motion| velocity(object, motion)),
            orientation_rate: motion.map(|motion| orientation_rate(object, motion)),
        }),
        base_rmse: Some(BaseMoving {
            dimension: rmse.dimension,
            position: rmse.position,
            orientation: rmse.orientation,
            velocity: motion.map(|_| planar(object.sigma_vx_mps, object.sigma_vy_mps)),
            orientation_rate: None,
        }),
        reference_point: Some(ReferencePoint::Centre.into()),
        candidate: vec![candidate(object.class)],
    }
}

pub(super) fn cone(object: &OutputObject) -> DetectedStationaryObject {
    DetectedStationaryObject {
        header: Some(item_header(object)),
        base: Some(state(object)),
        base_rmse: Some(deviations(object)),
        candidate: vec![CandidateStationaryObject {
            probability: Some(1.0),
            classification: Some(StationaryClassification {
                r#type: Some(StationaryType::ConstructionSiteElement.into()),
            }),
        }],
    }
}

fn item_header(object: &OutputObject) -> DetectedItemHeader {
    DetectedItemHeader {
        age: Some(seconds(object.age_ns)),
        ..header::of_item(object.id, object.confidence, object.is_coasting)
    }
}

fn state(object: &OutputObject) -> BaseStationary {
    BaseStationary {
        dimension: Some(Dimension3d {
            length: finite(object.length_m),
            width: finite(object.width_m),
            height: finite(object.height_m),
        }),
        position: Some(vector(object.x_m, object.y_m, object.z_m)),
        orientation: Some(turned(finite(object.yaw_rad))),
    }
}

fn deviations(object: &OutputObject) -> BaseStationary {
    let size = |extent_m: f32| Some(finite(object.sigma_size_ratio)? * finite(extent_m)?);
    BaseStationary {
        dimension: Some(Dimension3d {
            length: size(object.length_m),
            width: size(object.width_m),
            height: size(object.height_m),
        }),
        position: Some(planar(object.sigma_x_m, object.sigma_y_m)),
        orientation: Some(turned(finite(object.sigma_yaw_rad))),
    }
}

fn velocity(object: &OutputObject, motion: &HostMotion) -> Option<Vector3d> {
    let position_m = [finite(object.x_m)?, finite(object.y_m)?];
    let over_ground_mps = [finite(object.vx_mps)?, finite(object.vy_mps)?];
    let [x, y] = motion.seen(position_m, over_ground_mps);
    Some(Vector3d {
        x: Some(x).filter(|x| x.is_finite()),
        y: Some(y).filter(|y| y.is_finite()),
        z: None,
    })
}

fn orientation_rate(object: &OutputObject, motion: &HostMotion) -> Orientation3d {
    let rate_radps = finite(object.yaw_rate_radps).map(|rate| rate - motion.yaw_rate_radps);
    turned(rate_radps.filter(|rate| rate.is_finite()))
}

fn candidate(class: u8) -> CandidateMovingObject {
    let (kind, vehicle) = match ObjectClass::try_from(class) {
        Ok(ObjectClass::Car) => (MovingType::Vehicle, Some(VehicleType::Car)),
        Ok(ObjectClass::Van) => (MovingType::Vehicle, Some(VehicleType::Van)),
        Ok(ObjectClass::Truck) => (MovingType::Vehicle, Some(VehicleType::HeavyTruck)),
        Ok(ObjectClass::Bus) => (MovingType::Vehicle, Some(VehicleType::Bus)),
        Ok(ObjectClass::Motorcycle) => (MovingType::Vehicle, Some(VehicleType::Motorcycle)),
        Ok(ObjectClass::Cyclist) => (MovingType::Vehicle, Some(VehicleType::Bicycle)),
        Ok(ObjectClass::Pedestrian) => (MovingType::Pedestrian, None),
        Ok(ObjectClass::Cone) | Err(_) => (MovingType::Unknown, None),
    };
    CandidateMovingObject {
        probability: Some(1.0),
        r#type: Some(kind.into()),
        vehicle_classification: vehicle.map(|vehicle| VehicleClassification {
            r#type: Some(vehicle.into()),
        }),
    }
}
