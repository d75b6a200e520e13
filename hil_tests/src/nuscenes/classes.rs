//! Categories of nuScenes, its ten detection classes, and our classes.

use bevrt_sim::ObjectClass;

/// The detection classes of nuScenes. We know seven of them: trailers, construction vehicles and
/// barriers are neither predicted nor taken as ground truth.
pub const DETECTION_NAMES: [&str; 10] = [
    "car",
    "truck",
    "bus",
    "trailer",
    "construction_vehicle",
    "pedestrian",
    "motorcycle",
    "bicycle",
    "traffic_cone",
    "barrier",
];

/// One category for each of [`DETECTION_NAMES`], as an export writes them.
pub(super) const CATEGORIES: [(&str, &str); 10] = [
    ("vehicle.car", "Car or van."),
    ("vehicle.truck", "Truck."),
    ("vehicle.bus.rigid", "Bus."),
    ("vehicle.trailer", "Trailer."),
    ("vehicle.construction", "Construction vehicle."),
    ("human.pedestrian.adult", "Person on foot."),
    ("vehicle.motorcycle", "Motorcycle."),
    ("vehicle.bicycle", "Bicycle."),
    ("movable_object.trafficcone", "Traffic cone."),
    ("movable_object.barrier", "Barrier."),
];

/// What a category is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An object of a class.
    Object(ObjectClass),
    /// A rack: bicycles and motorcycles in it are not scored.
    BicycleRack,
    /// Nothing that is scored.
    Other,
}

impl Meaning {
    /// The meaning of a category's name.
    pub fn of_category(name: &str) -> Self {
        Self::Object(match name {
            "vehicle.car" => ObjectClass::Car,
            "vehicle.truck" => ObjectClass::Truck,
            "vehicle.bus.bendy" | "vehicle.bus.rigid" => ObjectClass::Bus,
            "vehicle.motorcycle" => ObjectClass::Motorcycle,
            "vehicle.bicycle" => ObjectClass::Cyclist,
            "human.pedestrian.adult"
            | "human.pedestrian.child"
            | "human.pedestrian.construction_worker"
            | "human.pedestrian.police_officer" => ObjectClass::Pedestrian,
            "movable_object.trafficcone" => ObjectClass::Cone,
            "static_object.bicycle_rack" => return Self::BicycleRack,
            _ => return Self::Other,
        })
    }
}

/// The category that an export gives to a class.
pub(super) fn category_of(class: ObjectClass) -> &'static str {
    match class {
        ObjectClass::Car | ObjectClass::Van => "vehicle.car",
        ObjectClass::Truck => "vehicle.truck",
        ObjectClass::Bus => "vehicle.bus.rigid",
        ObjectClass::Motorcycle => "vehicle.motorcycle",
        ObjectClass::Cyclist => "vehicle.bicycle",
        ObjectClass::Pedestrian => "human.pedestrian.adult",
        ObjectClass::Cone => "movable_object.trafficcone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreClass;

    #[test]
    fn a_class_that_is_written_is_read_as_one_that_scores_alike() {
        for class in ObjectClass::ALL {
            let category = category_of(class);
            assert!(CATEGORIES.iter().any(|(name, _)| *name == category));
            let Meaning::Object(read) = Meaning::of_category(category) else {
                panic!("{category} is an object");
            };
            let scored = |class: ObjectClass| ScoreClass::of_object_class(class.code());
            assert_eq!(scored(read), scored(class));
        }
    }

    #[test]
    fn scores_have_names_of_nuscenes() {
        for class in ScoreClass::ALL {
            assert!(DETECTION_NAMES.contains(&class.name()), "{class}");
        }
    }
}
