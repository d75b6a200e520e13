use super::{Origin, OutputRole, OutputSpec};
use crate::manifest::{HeadForm, HeadSection, Manifest, ObjectQueries};

/// The outputs in the order of the contract.
pub(super) fn of(manifest: &Manifest) -> Vec<OutputSpec> {
    let mut outputs = Vec::new();
    if let Some(queue) = manifest.queue() {
        outputs.push(OutputSpec {
            role: OutputRole::Bev,
            name: "bev".into(),
            shape: vec![queue.grid.rows, queue.grid.cols, queue.channels as usize],
            origin: Origin::new("queue", &["grid.rows", "grid.cols", "channels"]),
        });
    }
    for (place, section) in manifest.heads().iter().enumerate() {
        outputs.extend(head(place, section));
    }
    outputs
}

fn head(place: usize, head: &HeadSection) -> Vec<OutputSpec> {
    let output = |role, suffix: &str, shape, dimensions: &[&'static str]| OutputSpec {
        role,
        name: format!("{}{suffix}", head.output),
        shape,
        origin: Origin::new(format!("head[{place}]"), dimensions),
    };
    let scores = |count: usize| {
        output(
            OutputRole::Head(place),
            "_scores",
            vec![1, count, head.classes.len()],
            &["", "queries", "classes"],
        )
    };
    match &head.form {
        HeadForm::Dense { kind, grid } => vec![output(
            OutputRole::Head(place),
            "",
            vec![1, kind.channels(), grid.rows, grid.cols],
            &["", "kind", "grid.rows", "grid.cols"],
        )],
        HeadForm::ObjectQueries(queries) => vec![
            scores(queries.count),
            output(
                OutputRole::HeadValues(place),
                "_boxes",
                vec![1, queries.count, ObjectQueries::COLUMNS],
                &["", "queries"],
            ),
        ],
        HeadForm::MapQueries(queries) => vec![
            scores(queries.count),
            output(
                OutputRole::HeadValues(place),
                "_points",
                vec![1, queries.count, queries.points, queries.dimensions.count()],
                &["", "queries", "points", "dimensions"],
            ),
        ],
    }
}
