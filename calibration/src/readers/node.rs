//! A place in a YAML or JSON document that knows its own name.

use serde_json::Value;

use crate::CalibrationError;

/// A value and the path that led to it, so that an error can say where it is.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// The field of this name, if it is there and not null.
    pub(super) fn get(&self, field: &str) -> Option<Node<'a>> {
        let value = self.value.get(field).filter(|value| !value.is_null())?;
        Some(Node {
            value,
            path: self.path_of(field),
        })
    }

    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }

    /// The first of several names for one field that is there.
    pub(super) fn need(&self, names: &[&str]) -> Result<Node<'a>, CalibrationError> {
        names.iter().find_map(|name| self.get(name)).ok_or_else(|| {
            CalibrationError::new(
                self.path_of(names.first().copied().unwrap_or_default()),
                format!("a field named {}", names.join(" or ")),
                self.keys(),
            )
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn text(&self) -> Result<&'a str, CalibrationError> {
        self.value.as_str().ok_or_else(|| self.refuse("a text"))
    }

    pub(super) fn size(&self) -> Result<u32, CalibrationError> {
        let size = self
            .value
            .as_u64()
            .and_then(|size| u32::try_from(size).ok());
        size.ok_or_else(|| self.refuse("a whole number of pixels"))
    }

    /// Width and height in a list of two.
    pub(super) fn size_pair(&self) -> Result<[u32; 2], CalibrationError> {
        match self.numbers()?.as_slice() {
            &[width, height] if is_size(width) && is_size(height) => {
                Ok([width as u32, height as u32])
            }
            _ => Err(self.refuse("width and height in pixels")),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Node<'a>>, CalibrationError> {
        let items = self.value.as_array().ok_or_else(|| self.refuse("a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Node {
                value,
                path: format!("{}[{index}]", self.path),
            })
            .collect())
    }

    /// The members of a mapping, in the file's alphabetical order.
    pub(super) fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>, CalibrationError> {
        let members = self
            .value
            .as_object()
            .ok_or_else(|| self.refuse("a mapping"))?;
        Ok(members
            .iter()
            .map(|(key, value)| {
                (
                    key.as_str(),
                    Node {
                        value,
                        path: key.clone(),
                    },
                )
            })
            .collect())
    }

    /// The numbers of a list, of a list of lists, or of a mapping with `data` (and `rows`, `cols` that
    /// must agree with it).
    pub(super) fn numbers(&self) -> Result<Vec<f64>, CalibrationError> {
        if let Some(data) = self.get("data") {
            let numbers = data.numbers()?;
            if let (Some(rows), Some(cols)) = (self.get("rows"), self.get("cols")) {
                let count = u64::from(rows.size()?) * u64::from(cols.size()?);
                if count != numbers.len() as u64 {
                    return Err(CalibrationError::new(
                        &data.path,
                        format!("rows × cols = {count} numbers"),
                        format!("{} numbers", numbers.len()),
                    ));
                }
            }
            return Ok(numbers);
        }
        let mut numbers = Vec::new();
        collect(self.value, &mut numbers).ok_or_else(|| self.refuse("a list of numbers"))?;
        Ok(numbers)
    }

    /// Exactly `N` numbers.
    pub(super) fn array<const N: usize>(&self) -> Result<[f64; N], CalibrationError> {
        let numbers = self.numbers()?;
        let count = numbers.len();
        numbers.try_into().map_err(|_| {
            CalibrationError::new(
                &self.path,
                format!("{N} numbers"),
                format!("{count} numbers"),
            )
        })
    }

    pub(super) fn refuse(&self, expected: &str) -> CalibrationError {
        CalibrationError::new(&self.path, expected, shortened(&self.value.to_string()))
    }

    fn keys(&self) -> String {
        match self.value.as_object() {
            Some(members) if members.is_empty() => "no fields".to_owned(),
            Some(members) => {
                let keys: Vec<&str> = members.keys().map(String::as_str).collect();
                format!("the fields {}", shortened(&keys.join(", ")))
            }
            None => shortened(&self.value.to_string()),
        }
    }
}

fn is_size(value: f64) -> bool {
    value >= 1.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0
}

fn collect(value: &Value, numbers: &mut Vec<f64>) -> Option<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, numbers)),
        other => {
            numbers.push(other.as_f64()?);
            Some(())
        }
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 160;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Parses YAML; OpenCV's `%YAML:1.0` first line, which is not YAML, is passed over.
pub(super) fn parse_yaml(text: &str) -> Result<Value, CalibrationError> {
    let body = text.trim_start_matches('\u{feff}');
    let body = match body.strip_prefix("%YAML:") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
        None => body,
    };
    serde_saphyr::from_str(body).map_err(|error| {
        // Its first line says what and where; the rest is an excerpt of the file.
        let message = error.to_string();
        let found = message
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        CalibrationError::new("file", "YAML", found).caused_by(error)
    })
}

/// Parses JSON.
pub(super) fn parse_json(text: &str) -> Result<Value, CalibrationError> {
    serde_json::from_str(text)
        .map_err(|error| CalibrationError::new("file", "JSON", error.to_string()).caused_by(error))
}
