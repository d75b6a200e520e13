//! `bevrt hil relay`: a network that is worse than the one at hand.

use super::{UNIT, parse_seconds};
use crate::failure::Failure;
use bevrt_hil_link::{Endpoints, Impairment, Side, ZenohWire, relay};
use clap::Args;
use std::ops::Range;
use std::time::Duration;

/// Options of `bevrt hil relay`.
#[derive(Args)]
pub struct RelayArguments {
    /// Where the bench connects to
    #[arg(long, default_value = "tcp/127.0.0.1:7449")]
    listen: String,
    /// Where the unit listens
    #[arg(long, default_value = UNIT)]
    connect: String,
    /// Share of messages that are lost
    #[arg(long, default_value_t = 0.0, value_parser = parse_share)]
    loss: f64,
    /// Time on the way, SHORTEST..LONGEST milliseconds
    #[arg(long, default_value = "0..0", value_parser = parse_delay)]
    delay_ms: Range<Duration>,
    /// Share of messages that are held until later ones have overtaken them
    #[arg(long, default_value_t = 0.0, value_parser = parse_share)]
    reorder: f64,
    /// The n-th message of a direction has the same fate with the same seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// End when no message has come for so long
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    idle_s: Duration,
}

/// Passes messages on until none come any more.
pub fn run(arguments: &RelayArguments) -> Result<(), Failure> {
    let to_bench = Endpoints {
        listen: vec![arguments.listen.clone()],
        connect: Vec::new(),
    };
    let to_unit = Endpoints {
        listen: Vec::new(),
        connect: vec![arguments.connect.clone()],
    };
    // Each end takes the part of whoever is not there.
    let bench = ZenohWire::open(Side::Unit, &to_bench)?;
    let unit = ZenohWire::open(Side::Bench, &to_unit)?;
    let impairment = Impairment {
        loss: arguments.loss,
        delay: arguments.delay_ms.clone(),
        reorder: arguments.reorder,
        seed: arguments.seed,
    };
    eprintln!("listening at {}", arguments.listen);
    let [there, back] = relay(&bench, &unit, &impairment, arguments.idle_s)?;
    for (name, way) in [("to the unit", there), ("to the bench", back)] {
        println!(
            "{name}: {} passed on, {} of them held, {} lost",
            way.passed, way.held, way.lost
        );
    }
    Ok(())
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("expected 0 to 1, found `{text}`")),
    }
}

fn parse_delay(text: &str) -> Result<Range<Duration>, String> {
    let milliseconds = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|ms| (0.0..=1e4).contains(ms))
    };
    text.split_once("..")
        .and_then(|(from, to)| Some((milliseconds(from)?, milliseconds(to)?)))
        .filter(|(from, to)| from <= to)
        .map(|(from, to)| Duration::from_secs_f64(from * 1e-3)..Duration::from_secs_f64(to * 1e-3))
        .ok_or_else(|| format!("expected SHORTEST..LONGEST, 0 to 10000 ms, found `{text}`"))
}
