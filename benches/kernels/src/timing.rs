//! Times of the kernels on this machine, for a quick look; `bevrt bench` measures the whole step.

use std::time::Instant;

use crate::Setup;
use crate::kernel::{Kernel, measured};

/// A table of the least and the median time; the kernels run in turn, round by round.
pub fn table(kernels: &[Kernel], rounds: usize) -> Setup<String> {
    let mut times_us = vec![Vec::with_capacity(rounds); kernels.len()];
    let mut all_work = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        all_work.push(kernel.warmed_up()?);
    }
    for _ in 0..rounds {
        for (work, times_us) in all_work.iter_mut().zip(&mut times_us) {
            let begin = Instant::now();
            measured(&mut **work);
            times_us.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    let mut table = format!("{:<32} {:>10} {:>10}\n", "microseconds", "least", "median");
    for (kernel, times_us) in kernels.iter().zip(&mut times_us) {
        times_us.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| times_us.get(place).copied().unwrap_or(f64::NAN);
        let (least, median) = (at(0), at(times_us.len() / 2));
        table += &format!("{:<32} {least:>10.1} {median:>10.1}\n", kernel.name);
    }
    Ok(table)
}
