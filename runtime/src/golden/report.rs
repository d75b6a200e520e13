use std::fmt;

use super::GoldenError;
use super::file::{CaseForm, OutputForm};
use crate::engine::Engine;
use crate::manifest::Precision;

/// A channel whose deviation is smaller is compared as if it were this.
const LEAST_STD: f32 = 1e-6;
/// Least standard deviation of a channel as a share of the output's largest one.
const LEAST_SHARE: f32 = 1e-3;

/// How far the outputs of a network are from the golden ones.
#[derive(Clone, Debug)]
pub struct GoldenReport {
    precision: Precision,
    tolerance: f32,
    outputs: Vec<GoldenOutput>,
}

/// How far one output of one case is from the golden one.
///
/// Differences are in standard deviations of the channel.
#[derive(Clone, Debug)]
pub struct GoldenOutput {
    /// Name of the case.
    pub case: String,
    /// Name of the network's output.
    pub output: String,
    /// Positions that were compared.
    pub samples: usize,
    /// Largest difference of a sample.
    pub worst: f32,
    /// Flat position of that sample.
    pub worst_position: usize,
    /// Its golden value.
    pub expected: f32,
    /// Its value here.
    pub found: f32,
    /// Largest shift of a channel's mean.
    pub worst_mean_shift: f32,
    /// Largest change of a channel's deviation, relative to it.
    pub worst_spread_change: f32,
}

impl GoldenReport {
    pub(super) fn new(precision: Precision, tolerance: f32) -> Self {
        Self {
            precision,
            tolerance,
            outputs: Vec::new(),
        }
    }

    /// Precision of the network that ran.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Largest difference that is allowed.
    pub fn tolerance(&self) -> f32 {
        self.tolerance
    }

    /// All outputs of all cases.
    pub fn outputs(&self) -> &[GoldenOutput] {
        &self.outputs
    }

    /// Whether this output agrees.
    pub fn agrees(&self, output: &GoldenOutput) -> bool {
        // NaN compares false, so a difference that is no number never agrees.
        [
            output.worst,
            output.worst_mean_shift,
            output.worst_spread_change,
        ]
        .iter()
        .all(|&difference| difference <= self.tolerance)
    }

    /// Whether all outputs agree.
    pub fn is_passed(&self) -> bool {
        self.outputs.iter().all(|output| self.agrees(output))
    }

    /// The report, or an error that holds it when an output differs.
    ///
    /// # Errors
    /// [`GoldenError::Differs`] when not [`GoldenReport::is_passed`].
    pub fn into_result(self) -> Result<Self, GoldenError> {
        if self.is_passed() {
            Ok(self)
        } else {
            Err(GoldenError::Differs(Box::new(self)))
        }
    }

    /// Compares an output of the engine's last run.
    pub(super) fn compare(
        &mut self,
        case: &CaseForm,
        golden: &OutputForm,
        engine: &dyn Engine,
    ) -> Result<(), GoldenError> {
        let spec = engine
            .interface()
            .outputs()
            .iter()
            .find(|spec| spec.name == golden.name && spec.shape == golden.shape);
        let Some(spec) = spec else {
            return Err(GoldenError::Field {
                file: "golden cases".into(),
                field: format!("{}.{}", case.name, golden.name),
                expected: "name and shape of an output of the network".into(),
                found: format!("{:?}", golden.shape),
            });
        };
        let values = engine
            .output(spec.role)
            .map_err(|source| GoldenError::Run {
                case: case.name.clone(),
                source,
                detail: golden.name.clone(),
            })?;
        self.outputs.push(compared(case, golden, values));
        Ok(())
    }
}

fn compared(case: &CaseForm, golden: &OutputForm, values: &[f32]) -> GoldenOutput {
    let (stride, count) = golden.channels();
    // A channel that hardly lives is judged by the noise of the liveliest one, not by its own.
    let liveliest = golden.channel_std.iter().copied().fold(0.0, f32::max);
    let least = (liveliest * LEAST_SHARE).max(LEAST_STD);
    let std_of = |channel: usize| golden.channel_std[channel].max(least);
    let mut result = GoldenOutput {
        case: case.name.clone(),
        output: golden.name.clone(),
        samples: golden.positions.len(),
        worst: 0.0,
        worst_position: 0,
        expected: 0.0,
        found: 0.0,
        worst_mean_shift: 0.0,
        worst_spread_change: 0.0,
    };
    for (&position, &expected) in golden.positions.iter().zip(&golden.values) {
        let found = values[position];
        let difference = (found - expected).abs() / std_of(position / stride % count);
        if difference > result.worst || difference.is_nan() || result.samples == 0 {
            result.worst = difference;
            result.worst_position = position;
            result.expected = expected;
            result.found = found;
        }
    }
    for channel in 0..count {
        let [mean, std] = statistics(values, stride, count, channel);
        let shift = (mean - golden.channel_mean[channel]).abs() / std_of(channel);
        let change = (std - golden.channel_std[channel]).abs() / std_of(channel);
        result.worst_mean_shift = worse(result.worst_mean_shift, shift);
        result.worst_spread_change = worse(result.worst_spread_change, change);
    }
    result
}

/// The greater one, or NaN when one of them is.
fn worse(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// Mean and standard deviation of a channel.
fn statistics(values: &[f32], stride: usize, count: usize, channel: usize) -> [f32; 2] {
    let of_channel = || {
        values
            .chunks_exact(stride)
            .skip(channel)
            .step_by(count)
            .flatten()
            .map(|&value| f64::from(value))
    };
    let cells = (values.len() / count).max(1) as f64;
    let mean = of_channel().sum::<f64>() / cells;
    let variance = of_channel()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / cells;
    [mean as f32, variance.sqrt() as f32]
}

impl fmt::Display for GoldenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_passed() { "passed" } else { "FAILED" };
        write!(
            f,
            "golden self-test of {} {verdict}: at most {} standard deviations are allowed",
            self.precision, self.tolerance
        )?;
        for output in &self.outputs {
            let mark = if self.agrees(output) { "ok" } else { "DIFFERS" };
            write!(
                f,
                "\n  {} {}: {mark}: worst of {} samples {:.2e} (position {}, expected {}, found \
                 {}), mean {:.2e}, spread {:.2e}",
                output.case,
                output.output,
                output.samples,
                output.worst,
                output.worst_position,
                output.expected,
                output.found,
                output.worst_mean_shift,
                output.worst_spread_change
            )?;
        }
        Ok(())
    }
}
