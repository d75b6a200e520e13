use bevrt_calibration::readers::{kalibr, nuscenes, opencv, ros};
use bevrt_calibration::{Pose, Rig};

/// The bytes as a rig file, or, by the first byte, as a calibration file of somebody else. What is
/// accepted can be written and read again.
pub fn rig(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match kind {
        b'K' => {
            if let Ok(chain) = kalibr::Camchain::from_yaml_str(text) {
                let _refused_or_sound = chain.rig(Pose::identity());
            }
        }
        b'R' => drop(ros::camera_info_str(text)),
        b'O' => drop(opencv::file_storage_str(text, opencv::LensModel::Pinhole)),
        b'F' => drop(opencv::file_storage_str(text, opencv::LensModel::Fisheye)),
        b'N' => {
            let (calibrated, sensors) = text.split_once('\u{c}').unwrap_or((text, "[]"));
            drop(nuscenes::Tables::from_json_str(
                calibrated,
                sensors,
                [1600, 900],
            ));
        }
        _ => {
            if let Ok(rig) = Rig::from_toml_str(text) {
                let again = Rig::from_toml_str(&rig.to_toml());
                let again = again.expect("what was read can be written and read again");
                assert_eq!(rig.cameras().len(), again.cameras().len());
            }
        }
    }
}
