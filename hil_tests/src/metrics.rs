//! Scores against ground truth. `METRICS.md` beside the crate defines each of them.

mod assignment;
mod bands;
mod chamfer;
mod curve;
mod detection;
mod gate;
mod lanes;
mod markings;
mod occlusion;
mod openlane;
mod polygon;
mod polyline;
mod score;
mod score_classes;
mod sigma;
mod tasks;
mod tracks;

pub use assignment::min_cost_assignment;
pub use bands::{DISTANCE_BANDS_M, VISIBILITY_LEVELS};
pub use chamfer::{ChamferLine, Outcome, SAMPLES, Tally, chamfer, distance_matrix, match_nearest};
pub use curve::{Curve, Verdict, envelope_average_precision};
pub use detection::{
    ClassScores, DetectionRange, DetectionScores, DetectionTally, PairErrors, PredictedBox,
    ScoredBox, THRESHOLDS_M, TruthBox,
};
pub use gate::{HALF_WIDTH_M, Strip};
pub use lanes::{CutLanes, F1Scores, LaneF1Tally, LaneFamily, LanePart, LaneScores, LaneTally};
pub use markings::{
    ArrowScores, ArrowTally, CrosswalkScores, CrosswalkTally, StopLineScores, StopLineTally,
};
pub use occlusion::{OcclusionScores, OcclusionTally, Visibility, VisibleScores};
pub use openlane::{
    OpenLaneErrors, OpenLaneFrame, OpenLaneLine, OpenLaneScores, OpenLaneTally,
    openlane_ground_point,
};
pub use polygon::intersection_over_union;
pub use polyline::{Point, Range, clip, length, resample, resample_every};
pub use score::{ScoreTally, Scores, UnknownClass};
pub use score_classes::ScoreClass;
pub use sigma::{Ratios, SigmaScore, SigmaTally};
pub use tasks::{Task, Tasks};
pub use tracks::{
    ClearTally, HOTA_LEVELS, HotaScores, HotaTally, IdentityTally, RECALLS, SimilarityDrive,
    SimilarityFrame, TrackBox, TrackClassScores, TrackCounts, TrackDrive, TrackEvents, TrackFrame,
    TrackScores, TrackTally, ZERO_SIMILARITY_M,
};
