//! Tables of JSON, record by record: a file of any size takes the memory of one record.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use bevrt_calibration::Pose;
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::NuscenesError;

/// How far the norm of a quaternion may be from 1.
const UNIT_TOLERANCE: f64 = 1e-4;
/// Longest text of a value in an error.
const SHOWN: usize = 60;

/// One record of a table, whose fields say what is wrong with them.
pub(super) struct Record<'a> {
    file: &'a Path,
    /// The layer in a file that has several, and the place in it.
    layer: &'a str,
    place: usize,
    fields: Map<String, Value>,
}

impl Record<'_> {
    /// The token.
    pub fn token(&self) -> Result<&str, NuscenesError> {
        self.text("token")
    }

    /// A text.
    pub fn text(&self, field: &str) -> Result<&str, NuscenesError> {
        self.get(field)
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(field, "a text"))
    }

    /// A whole number.
    pub fn integer(&self, field: &str) -> Result<i64, NuscenesError> {
        self.get(field)
            .and_then(Value::as_i64)
            .ok_or_else(|| self.wrong(field, "a whole number"))
    }

    /// A whole number of pixels, points or the like.
    pub fn count(&self, field: &str) -> Result<u32, NuscenesError> {
        self.get(field)
            .and_then(Value::as_u64)
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| self.wrong(field, "a whole number from 0 on"))
    }

    /// A finite number.
    pub fn number(&self, field: &str) -> Result<f64, NuscenesError> {
        self.get(field)
            .and_then(Value::as_f64)
            .ok_or_else(|| self.wrong(field, "a number"))
    }

    /// True or false.
    pub fn flag(&self, field: &str) -> Result<bool, NuscenesError> {
        self.get(field)
            .and_then(Value::as_bool)
            .ok_or_else(|| self.wrong(field, "true or false"))
    }

    /// A list.
    pub fn list(&self, field: &str) -> Result<&[Value], NuscenesError> {
        self.get(field)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .ok_or_else(|| self.wrong(field, "a list"))
    }

    /// A list of texts.
    pub fn texts(&self, field: &str) -> Result<Vec<String>, NuscenesError> {
        self.list(field)?
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(field, "a list of texts"))
    }

    /// `N` numbers.
    pub fn numbers<const N: usize>(
        &self,
        field: &str,
        expected: &str,
    ) -> Result<[f64; N], NuscenesError> {
        let numbers: Option<Vec<f64>> = self
            .get(field)
            .and_then(Value::as_array)
            .and_then(|list| list.iter().map(Value::as_f64).collect());
        numbers
            .and_then(|numbers| numbers.try_into().ok())
            .ok_or_else(|| self.wrong(field, expected))
    }

    /// The rigid motion of `translation` and `rotation`.
    pub fn pose<A, B>(&self) -> Result<Pose<A, B>, NuscenesError> {
        let translation = self.numbers::<3>("translation", "x y z in metres")?;
        let expected = "a unit quaternion w x y z";
        let [w, x, y, z] = self.numbers::<4>("rotation", expected)?;
        let quaternion = Quaternion::new(w, x, y, z);
        if (quaternion.norm() - 1.0).abs() > UNIT_TOLERANCE {
            return Err(self.wrong("rotation", expected));
        }
        // One that is as exact as f64 allows is kept bit by bit.
        let rotation = if (quaternion.norm() - 1.0).abs() <= 4.0 * f64::EPSILON {
            UnitQuaternion::new_unchecked(quaternion)
        } else {
            UnitQuaternion::from_quaternion(quaternion)
        };
        Ok(Pose::new(rotation, Vector3::from(translation)))
    }

    /// What is wrong with a field, with the value that stands there.
    pub fn wrong(&self, field: &str, expected: impl Into<String>) -> NuscenesError {
        let found = self
            .fields
            .get(field)
            .map_or("no such field".to_owned(), shown);
        NuscenesError::new(self.file, expected, found)
            .in_record(self.name())
            .in_field(field)
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    fn name(&self) -> String {
        let token = self.fields.get("token").and_then(Value::as_str);
        let name = token.map_or_else(
            || format!("number {} (it has no token)", self.place),
            |token| format!("{token:?}"),
        );
        if self.layer.is_empty() {
            name
        } else {
            format!("{name} of {}", self.layer)
        }
    }
}

/// A value as far as it is short.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}…")
}

/// What is done with each record; the first argument is its layer.
type Each<'a> = &'a mut dyn FnMut(&str, &Record<'_>) -> Result<(), NuscenesError>;

/// Reads a file that is a list of records; the number of them.
///
/// # Errors
/// The file is not there or no such list, or `each` refuses a record.
pub(super) fn read_table(
    file: &Path,
    each: &mut dyn FnMut(&Record<'_>) -> Result<(), NuscenesError>,
) -> Result<usize, NuscenesError> {
    let mut each = |_: &str, record: &Record<'_>| each(record);
    read(
        file,
        "a list of records in JSON",
        |deserializer, failure| {
            Records {
                file,
                layer: "",
                each: &mut each,
                failure,
            }
            .deserialize(deserializer)
        },
    )
}

/// Reads those lists of a file of several that are named in `layers`.
///
/// # Errors
/// As [`read_table`].
pub(super) fn read_layers(
    file: &Path,
    layers: &[&str],
    each: Each<'_>,
) -> Result<(), NuscenesError> {
    read(
        file,
        "lists of records by layer in JSON",
        |deserializer, failure| {
            deserializer.deserialize_map(Layers {
                file,
                layers,
                each,
                failure,
            })
        },
    )
}

type Json = serde_json::Deserializer<serde_json::de::IoRead<BufReader<File>>>;

fn read<T>(
    file: &Path,
    expected: &str,
    parse: impl FnOnce(&mut Json, &mut Option<NuscenesError>) -> Result<T, serde_json::Error>,
) -> Result<T, NuscenesError> {
    let open = File::open(file)
        .map_err(|error| NuscenesError::caused_by(file, "a readable file", error))?;
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::new(open));
    let mut failure = None;
    let parsed =
        parse(&mut deserializer, &mut failure).and_then(|value| deserializer.end().map(|()| value));
    match (failure, parsed) {
        (Some(failure), _) => Err(failure),
        (None, Ok(value)) => Ok(value),
        (None, Err(error)) => Err(NuscenesError::caused_by(file, expected, error)),
    }
}

/// A list of records on its way through `each`.
struct Records<'a, 'f> {
    file: &'a Path,
    layer: &'a str,
    each: Each<'a>,
    /// Where the error of `each` goes, since it cannot pass through the parser.
    failure: &'f mut Option<NuscenesError>,
}

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<usize, S::Error> {
        let mut place = 0;
        while let Some(fields) = list.next_element::<Map<String, Value>>()? {
            let record = Record {
                file: self.file,
                layer: self.layer,
                place,
                fields,
            };
            if let Err(error) = (self.each)(self.layer, &record) {
                *self.failure = Some(error);
                return Err(S::Error::custom("a record is wrong"));
            }
            place += 1;
        }
        Ok(place)
    }
}

struct Layers<'a, 'f> {
    file: &'a Path,
    layers: &'a [&'a str],
    each: Each<'a>,
    failure: &'f mut Option<NuscenesError>,
}

impl<'de> Visitor<'de> for Layers<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lists of records by layer")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if !self.layers.contains(&name.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            map.next_value_seed(Records {
                file: self.file,
                layer: &name,
                each: &mut *self.each,
                failure: &mut *self.failure,
            })?;
        }
        Ok(())
    }
}
