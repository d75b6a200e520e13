use bevrt_calibration::BevGrid;
use serde::Deserialize;

use super::Check;
use crate::manifest::{
    GroundRange, HeadForm, HeadKind, HeadSection, ManifestError, MapElement, MapQueries,
    ObjectQueries, PointCoordinates, PointDimensions, QUERY_CAPACITY, QUERY_POINT_CAPACITY,
};

/// Names of the object classes in the order of their indices.
const OBJECT_CLASSES: [&str; 8] = [
    "car",
    "van",
    "truck",
    "bus",
    "motorcycle",
    "cyclist",
    "pedestrian",
    "cone",
];
/// Marking types of lanes; a dense lane head may have one threshold for each.
const MARKING_COUNT: usize = 4;
/// Most classes of a map head.
const MAP_CLASS_CAPACITY: usize = 64;
/// No range of a head reaches farther from the ego origin.
const FARTHEST_M: f64 = 1000.0;
/// What only a set of point lists has.
const MAP_FIELDS: [&str; 5] = ["points", "dimensions", "coordinates", "elements", "sigma_m"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TomlKind {
    Objects,
    Lanes,
    Arrows,
    Crosswalks,
    StopLines,
    MapElements,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TomlForm {
    #[default]
    Dense,
    Queries,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TomlHead {
    kind: TomlKind,
    #[serde(default)]
    form: TomlForm,
    output: String,
    grid: Option<BevGrid>,
    queries: Option<usize>,
    range: Option<GroundRange>,
    points: Option<usize>,
    dimensions: Option<u32>,
    coordinates: Option<PointCoordinates>,
    elements: Option<Vec<String>>,
    sigma_m: Option<Vec<f32>>,
    #[serde(default)]
    classes: Vec<String>,
    thresholds: Vec<f32>,
}

impl TomlHead {
    fn has(&self, field: &str) -> bool {
        match field {
            "grid" => self.grid.is_some(),
            "queries" => self.queries.is_some(),
            "range" => self.range.is_some(),
            "points" => self.points.is_some(),
            "dimensions" => self.dimensions.is_some(),
            "coordinates" => self.coordinates.is_some(),
            "elements" => self.elements.is_some(),
            "sigma_m" => self.sigma_m.is_some(),
            _ => false,
        }
    }
}

impl Check<'_> {
    /// One head, by itself.
    pub(super) fn head(&self, field: &str, form: TomlHead) -> Result<HeadSection, ManifestError> {
        let head_form = match (form.kind, form.form) {
            (TomlKind::Objects, TomlForm::Dense) => self.dense(field, &form, HeadKind::Objects),
            (TomlKind::Lanes, TomlForm::Dense) => self.dense(field, &form, HeadKind::Lanes),
            (TomlKind::Arrows, TomlForm::Dense) => self.dense(field, &form, HeadKind::Arrows),
            (TomlKind::Crosswalks, TomlForm::Dense) => {
                self.dense(field, &form, HeadKind::Crosswalks)
            }
            (TomlKind::StopLines, TomlForm::Dense) => self.dense(field, &form, HeadKind::StopLines),
            (TomlKind::Objects, TomlForm::Queries) => self.object_queries(field, &form),
            (TomlKind::MapElements, TomlForm::Queries) => self.map_queries(field, &form),
            (TomlKind::MapElements, TomlForm::Dense) => {
                Err(self.wrong(format!("{field}.form"), "\"queries\"", form.form))
            }
            (
                TomlKind::Lanes | TomlKind::Arrows | TomlKind::Crosswalks | TomlKind::StopLines,
                TomlForm::Queries,
            ) => Err(self.wrong(
                format!("{field}.kind"),
                "\"objects\" or \"map_elements\" for a set of queries",
                form.kind,
            )),
        }?;
        if head_form.finds().contains(&HeadKind::Objects) {
            self.that(
                form.classes == OBJECT_CLASSES,
                format!("{field}.classes"),
                format_args!("{OBJECT_CLASSES:?}"),
                &form.classes,
            )?;
        }
        self.thresholds(field, &head_form, &form)?;
        Ok(HeadSection {
            output: form.output,
            form: head_form,
            classes: form.classes,
            thresholds: form.thresholds,
        })
    }

    /// All heads together: each list of the frame is filled by one head, each output read once.
    pub(super) fn apart(&self, heads: &[HeadSection]) -> Result<(), ManifestError> {
        for (k, head) in heads.iter().enumerate() {
            let found = head.form.finds();
            let twice = heads[..k]
                .iter()
                .flat_map(|other| other.form.finds())
                .find(|kind| found.contains(kind));
            self.that(
                twice.is_none(),
                format!("head[{k}].kind"),
                "a kind that no other head has",
                twice,
            )?;
            self.that(
                head.output != "bev",
                format!("head[{k}].output"),
                "another name than that of the queued map",
                &head.output,
            )?;
        }
        Ok(())
    }

    fn dense(
        &self,
        field: &str,
        form: &TomlHead,
        kind: HeadKind,
    ) -> Result<HeadForm, ManifestError> {
        self.has_none_of(field, form, &["queries", "range"])?;
        self.has_none_of(field, form, &MAP_FIELDS)?;
        let grid = self.given(field, "grid", "the cells of the map", form.grid)?;
        Ok(HeadForm::Dense {
            kind,
            grid: self.grid(field, grid)?,
        })
    }

    fn object_queries(&self, field: &str, form: &TomlHead) -> Result<HeadForm, ManifestError> {
        self.has_none_of(field, form, &["grid"])?;
        self.has_none_of(field, form, &MAP_FIELDS)?;
        Ok(HeadForm::ObjectQueries(ObjectQueries {
            count: self.queries(field, form)?,
            range: self.range(field, form)?,
        }))
    }

    fn map_queries(&self, field: &str, form: &TomlHead) -> Result<HeadForm, ManifestError> {
        self.has_none_of(field, form, &["grid"])?;
        let points = self.given(field, "points", "points of a query", form.points)?;
        self.that(
            (2..=QUERY_POINT_CAPACITY).contains(&points),
            format!("{field}.points"),
            format_args!("2 to {QUERY_POINT_CAPACITY}"),
            points,
        )?;
        let dimensions = match self.given(field, "dimensions", "2 or 3", form.dimensions)? {
            2 => PointDimensions::Two,
            3 => PointDimensions::Three,
            other => return Err(self.wrong(format!("{field}.dimensions"), "2 or 3", other)),
        };
        let expected = "\"normalised\" or \"metres\"";
        let coordinates = self.given(field, "coordinates", expected, form.coordinates)?;
        self.that(
            (1..=MAP_CLASS_CAPACITY).contains(&form.classes.len()),
            format!("{field}.classes"),
            format_args!("1 to {MAP_CLASS_CAPACITY} names"),
            &form.classes,
        )?;
        Ok(HeadForm::MapQueries(MapQueries {
            count: self.queries(field, form)?,
            points,
            dimensions,
            coordinates,
            range: self.range(field, form)?,
            elements: self.elements(field, form)?,
            sigma_m: self.sigma(field, form)?,
        }))
    }

    fn queries(&self, field: &str, form: &TomlHead) -> Result<usize, ManifestError> {
        let count = self.given(field, "queries", "the number of queries", form.queries)?;
        self.that(
            (1..=QUERY_CAPACITY).contains(&count),
            format!("{field}.queries"),
            format_args!("1 to {QUERY_CAPACITY}"),
            count,
        )?;
        Ok(count)
    }

    fn range(&self, field: &str, form: &TomlHead) -> Result<GroundRange, ManifestError> {
        let range = self.given(field, "range", "where elements may lie", form.range)?;
        let is_sound =
            |least: f64, most: f64| -FARTHEST_M <= least && least < most && most <= FARTHEST_M;
        self.that(
            is_sound(range.x_min_m, range.x_max_m) && is_sound(range.y_min_m, range.y_max_m),
            format!("{field}.range"),
            format_args!("x_min_m < x_max_m, y_min_m < y_max_m, within {FARTHEST_M} m"),
            range,
        )?;
        Ok(range)
    }

    fn elements(&self, field: &str, form: &TomlHead) -> Result<Vec<MapElement>, ManifestError> {
        let none = &Vec::new();
        let names = form.elements.as_ref().unwrap_or(none);
        let field = format!("{field}.elements");
        let known: Vec<&str> = MapElement::names().collect();
        self.that(
            names.len() == form.classes.len(),
            field.clone(),
            format_args!(
                "one of {known:?} for each of {} classes",
                form.classes.len()
            ),
            names,
        )?;
        let elements: Vec<MapElement> = names
            .iter()
            .map(|name| {
                MapElement::from_name(name)
                    .ok_or_else(|| self.wrong(field.clone(), format_args!("{known:?}"), name))
            })
            .collect::<Result<_, _>>()?;
        self.that(
            elements.iter().any(|element| element.kind().is_some()),
            field,
            "at least one class that is not ignored",
            names,
        )?;
        Ok(elements)
    }

    fn sigma(&self, field: &str, form: &TomlHead) -> Result<Vec<f32>, ManifestError> {
        let sigma_m = form.sigma_m.clone().unwrap_or_default();
        let is_sound = sigma_m.len() == form.classes.len()
            && sigma_m
                .iter()
                .all(|sigma| sigma.is_finite() && *sigma > 0.0);
        self.that(
            is_sound,
            format!("{field}.sigma_m"),
            format_args!(
                "a number above 0 for each of {} classes",
                form.classes.len()
            ),
            &sigma_m,
        )?;
        Ok(sigma_m)
    }

    fn thresholds(
        &self,
        field: &str,
        head: &HeadForm,
        form: &TomlHead,
    ) -> Result<(), ManifestError> {
        let count = form.thresholds.len();
        let (allowed, expected) = match head {
            HeadForm::Dense {
                kind: HeadKind::Lanes,
                ..
            } => (
                count == 1 || count == MARKING_COUNT,
                "1 or 4 thresholds".into(),
            ),
            HeadForm::Dense { kind, .. } => exactly(kind.class_count(), count),
            HeadForm::ObjectQueries(_) | HeadForm::MapQueries(_) => {
                exactly(form.classes.len(), count)
            }
        };
        self.that(
            allowed,
            format!("{field}.thresholds"),
            expected,
            &form.thresholds,
        )?;
        self.that(
            form.thresholds
                .iter()
                .all(|&threshold| 0.0 < threshold && threshold < 1.0),
            format!("{field}.thresholds"),
            "numbers between 0 and 1",
            &form.thresholds,
        )
    }

    /// The value of a field that this form of head must have.
    fn given<T>(
        &self,
        section: &str,
        field: &str,
        expected: &str,
        value: Option<T>,
    ) -> Result<T, ManifestError> {
        value.ok_or_else(|| ManifestError::Field {
            file: self.file.to_path_buf(),
            field: format!("{section}.{field}"),
            expected: expected.into(),
            found: "none".into(),
        })
    }

    fn has_none_of(
        &self,
        section: &str,
        form: &TomlHead,
        fields: &[&str],
    ) -> Result<(), ManifestError> {
        let present = fields.iter().find(|field| form.has(field));
        self.that(
            present.is_none(),
            format!("{section}.{}", present.unwrap_or(&"")),
            format_args!(
                "no such field of a {:?} head in {:?} form",
                form.kind, form.form
            ),
            "one",
        )
    }
}

fn exactly(expected: usize, found: usize) -> (bool, String) {
    (found == expected, format!("{expected} thresholds"))
}
