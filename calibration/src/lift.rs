//! What a network asks of the lift from image features to the BEV grid.

use serde::{Deserialize, Serialize};

use crate::{BevGrid, CalibrationError, MAX_CAMERAS};

/// Bins of distance from the camera, geometrically spaced.
///
/// Distance is Euclidean, from the camera's centre to the point, for every lens. The bin is
/// `floor(count · ln(d / min) / ln(max / min))`, clamped to `0..count`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthBins {
    /// Number of bins.
    pub count: u32,
    /// Near end of bin 0, metres.
    pub min_m: f64,
    /// Far end of the last bin, metres.
    pub max_m: f64,
}

impl DepthBins {
    /// Checks bins that came from outside.
    ///
    /// # Errors
    /// Refuses a count outside of 1..=1024 and anything but `0 < min_m < max_m < ∞`.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        if !(1..=1024).contains(&self.count) {
            return Err(CalibrationError::new(
                "count",
                "1 to 1024",
                self.count.to_string(),
            ));
        }
        let is_ordered = 0.0 < self.min_m && self.min_m < self.max_m && self.max_m.is_finite();
        if !is_ordered {
            return Err(CalibrationError::new(
                "min_m, max_m",
                "0 < min_m < max_m",
                format!("{}, {}", self.min_m, self.max_m),
            ));
        }
        Ok(())
    }

    /// The bin of a distance in metres.
    pub fn bin(&self, distance_m: f64) -> u32 {
        self.bin_of_ln(distance_m.ln())
    }

    /// The bin of a distance given as its natural logarithm.
    pub fn bin_of_ln(&self, ln_distance: f64) -> u32 {
        let ln_min = self.min_m.ln();
        let scaled = f64::from(self.count) * (ln_distance - ln_min) / (self.max_m.ln() - ln_min);
        // A cast from float saturates: below the first bin is 0.
        (scaled as u32).min(self.count - 1)
    }

    /// Distance in the (logarithmic) middle of a bin, metres.
    pub fn centre_m(&self, bin: u32) -> f64 {
        self.min_m * (self.max_m / self.min_m).powf((f64::from(bin) + 0.5) / f64::from(self.count))
    }
}

/// One lift of a network: its grid, its heights, and the feature maps that it gathers from.
///
/// Feature cell `u` covers the network-image pixels `[u · stride, (u + 1) · stride)`, so a pixel
/// coordinate becomes `(px + 0.5) / stride − 0.5` in feature cells.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftSpec {
    /// The cells that are filled.
    pub grid: BevGrid,
    /// Heights of the voxels over the ego frame's ground plane, metres.
    pub heights_m: Vec<f64>,
    /// Columns of the feature map of one camera.
    pub feature_width: u32,
    /// Rows of the feature map of one camera.
    pub feature_height: u32,
    /// Network-image pixels per feature cell.
    pub stride: u32,
    /// Feature cells gathered per voxel, 1 to 4; see [`ProjectionTable`](crate::ProjectionTable).
    pub taps: u32,
    /// Distance bins, if the network weighs features by predicted distance.
    pub depth_bins: Option<DepthBins>,
}

impl LiftSpec {
    /// Checks a lift that came from outside.
    ///
    /// # Errors
    /// Names the first field that is out of its range, also when the tables' indices would not fit
    /// into 32 bits.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        self.grid.validate().map_err(|error| error.within("grid"))?;
        let is_sound = !self.heights_m.is_empty()
            && self.heights_m.len() <= 64
            && self.heights_m.iter().all(|height| height.is_finite());
        if !is_sound {
            return Err(CalibrationError::new(
                "heights_m",
                "1 to 64 finite numbers",
                crate::pose::list(&self.heights_m),
            ));
        }
        for (field, value, most) in [
            ("feature_width", self.feature_width, 8192),
            ("feature_height", self.feature_height, 8192),
            ("stride", self.stride, 256),
            ("taps", self.taps, 4),
        ] {
            if !(1..=most).contains(&value) {
                return Err(CalibrationError::new(
                    field,
                    format!("1 to {most}"),
                    value.to_string(),
                ));
            }
        }
        if let Some(bins) = &self.depth_bins {
            bins.validate()
                .map_err(|error| error.within("depth_bins"))?;
        }
        let bins = self.depth_bins.map_or(1, |bins| bins.count as usize);
        let most = [
            MAX_CAMERAS * self.rows_per_camera() * bins,
            self.voxel_count() * 4,
        ];
        if most.iter().any(|&count| count > i32::MAX as usize) {
            return Err(CalibrationError::new(
                "feature map and grid",
                "fewer than 2³¹ indices",
                format!("{most:?}"),
            ));
        }
        Ok(())
    }

    /// Voxels of the lift: cells × heights.
    pub fn voxel_count(&self) -> usize {
        self.grid.cell_count() * self.heights_m.len()
    }

    /// Feature rows of one camera: feature height × feature width.
    pub fn rows_per_camera(&self) -> usize {
        self.feature_width as usize * self.feature_height as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_bins_are_geometric_and_clamped() {
        let bins = DepthBins {
            count: 32,
            min_m: 2.0,
            max_m: 72.0,
        };
        // 12 m is the geometric mean of 2 and 72: exactly the edge between bins 15 and 16.
        assert_eq!(bins.bin(11.999), 15);
        assert_eq!(bins.bin(12.001), 16);
        assert_eq!(
            (bins.bin(0.0), bins.bin(0.5), bins.bin(2.0), bins.bin(500.0)),
            (0, 0, 0, 31)
        );
        for bin in 0..32 {
            assert_eq!(bins.bin(bins.centre_m(bin)), bin);
        }
    }

    #[test]
    fn senseless_lifts_are_refused() {
        let sound = LiftSpec {
            grid: BevGrid {
                x_min_m: 0.0,
                y_min_m: 0.0,
                cell_m: 1.0,
                rows: 4,
                cols: 4,
            },
            heights_m: vec![0.0],
            feature_width: 8,
            feature_height: 4,
            stride: 8,
            taps: 1,
            depth_bins: None,
        };
        assert!(sound.validate().is_ok());
        let bad = [
            LiftSpec {
                heights_m: vec![],
                ..sound.clone()
            },
            LiftSpec {
                heights_m: vec![f64::NAN],
                ..sound.clone()
            },
            LiftSpec {
                taps: 0,
                ..sound.clone()
            },
            LiftSpec {
                taps: 5,
                ..sound.clone()
            },
            LiftSpec {
                stride: 0,
                ..sound.clone()
            },
            LiftSpec {
                feature_width: 0,
                ..sound.clone()
            },
            LiftSpec {
                depth_bins: Some(DepthBins {
                    count: 0,
                    min_m: 1.0,
                    max_m: 2.0,
                }),
                ..sound.clone()
            },
            LiftSpec {
                depth_bins: Some(DepthBins {
                    count: 8,
                    min_m: 2.0,
                    max_m: 2.0,
                }),
                ..sound.clone()
            },
        ];
        for spec in bad {
            assert!(spec.validate().is_err(), "{spec:?}");
        }
    }
}
