//! What may change between two records of the ABI, by their versions: nothing at the same version,
//! additions with a raised minor number, anything with a raised major number.

/// Numbers that say what the rest is, and so may rise.
const MAJOR: &str = "BEVRT_ABI_MAJOR";
const MINOR: &str = "BEVRT_ABI_MINOR";
const FRAME_MINOR: &str = "BEVRT_FRAME_ABI_MINOR";

/// Refuses a record that its version does not allow after the one before.
///
/// # Errors
/// Says what is new and what is gone, and which number must be raised.
pub fn check(old: &str, new: &str) -> Result<(), String> {
    let (was, is) = (version(old)?, version(new)?);
    if is < was {
        return Err(format!(
            "the ABI's version went back from {was:?} to {is:?}"
        ));
    }
    let added: Vec<&str> = lines(new).filter(|&line| !has(old, line)).collect();
    let gone: Vec<&str> = lines(old)
        .filter(|&line| !has(new, line) && !has_grown(line, new))
        .collect();
    let text = |number: &str| {
        format!(
            "the ABI changed, which needs a higher {number} than {was:?}, found {is:?}.\n\
             new: {added:#?}\ngone or changed: {gone:#?}"
        )
    };
    match (gone.is_empty(), added.is_empty()) {
        (false, _) if is.0 == was.0 => Err(text(MAJOR)),
        (true, false) if is == was => Err(text(MINOR)),
        _ => Ok(()),
    }
}

fn lines(record: &str) -> impl Iterator<Item = &str> {
    let versions = [MAJOR, MINOR, FRAME_MINOR];
    record
        .lines()
        .filter(move |line| !versions.iter().any(|name| number(line, name).is_some()))
}

fn has(record: &str, line: &str) -> bool {
    record.lines().any(|other| other == line)
}

/// Whether the line is the size of a struct that only became longer: callers state which size they
/// have. What it had before stands in lines of its own.
fn has_grown(line: &str, new: &str) -> bool {
    let Some((name, before)) = size(line) else {
        return false;
    };
    let states_size = ["struct_size", "frame_size_bytes"]
        .iter()
        .any(|field| lines(new).any(|line| line.starts_with(&format!("{name}.{field} "))));
    let after = lines(new).filter_map(size).find(|found| found.0 == name);
    states_size && after.is_some_and(|found| found.1 > before)
}

/// Name and bytes of a struct.
fn size(line: &str) -> Option<(&str, u64)> {
    let (name, bytes) = line.split_once(" size ")?;
    let bytes = bytes.parse().ok()?;
    (!name.contains(' ')).then_some((name, bytes))
}

fn version(record: &str) -> Result<(u64, u64), String> {
    let find = |name: &str| {
        record
            .lines()
            .find_map(|line| number(line, name))
            .ok_or_else(|| format!("{name}: expected a line with its number, found none"))
    };
    Ok((find(MAJOR)?, find(MINOR)?))
}

fn number(line: &str, name: &str) -> Option<u64> {
    line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::check;

    const OLD: &str = "BEVRT_ABI_MAJOR 0\nBEVRT_ABI_MINOR 2\nBEVRT_STATUS_OK 0\n\
        bevrt_options_t size 8\nbevrt_options_t.struct_size offset 0 size 4\n\
        bevrt_options_t.device offset 4 size 4\n\
        bevrt_point_t size 8\nbevrt_point_t.x_m offset 0 size 8\nvoid bevrt_step(void)\n";

    /// The record with some texts replaced, and what is said to it.
    fn changed(changes: &[(&str, &str)]) -> Result<(), String> {
        let new = changes.iter().fold(OLD.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        check(OLD, &new)
    }

    const MINOR: (&str, &str) = ("MINOR 2", "MINOR 3");
    const MAJOR: (&str, &str) = ("MAJOR 0", "MAJOR 1");
    const ADDED: (&str, &str) = ("bevrt_point_t.x_m", "BEVRT_NEW 1\nbevrt_point_t.x_m");
    const GROWN: (&str, &str) = (
        "bevrt_options_t size 8\n",
        "bevrt_options_t size 16\nbevrt_options_t.cores offset 8 size 8\n",
    );

    #[test]
    fn nothing_changes_at_the_same_version() {
        assert_eq!(changed(&[]), Ok(()));
        for change in [ADDED, GROWN] {
            let refusal = changed(&[change]).expect_err("the version is the same");
            assert!(refusal.contains("higher BEVRT_ABI_MINOR"), "{refusal}");
        }
    }

    #[test]
    fn a_raised_minor_number_allows_additions() {
        assert_eq!(changed(&[MINOR]), Ok(()));
        assert_eq!(changed(&[MINOR, ADDED, GROWN]), Ok(()));
    }

    #[test]
    fn what_goes_or_changes_needs_a_raised_major_number() {
        for change in [
            ("void bevrt_step(void)\n", ""),
            ("void bevrt_step(void)", "void bevrt_step(int32_t)"),
            ("BEVRT_STATUS_OK 0", "BEVRT_STATUS_OK 7"),
            ("device offset 4 size 4", "device offset 4 size 8"),
            ("bevrt_options_t size 8", "bevrt_options_t size 4"),
            // No caller states the size of this one.
            ("bevrt_point_t size 8", "bevrt_point_t size 16"),
        ] {
            for changes in [&[change][..], &[change, MINOR], &[change, ADDED, MINOR]] {
                let refusal = changed(changes).expect_err("the major number is the same");
                assert!(refusal.contains("higher BEVRT_ABI_MAJOR"), "{refusal}");
            }
            assert_eq!(changed(&[change, MAJOR]), Ok(()));
        }
    }

    #[test]
    fn a_version_never_goes_back() {
        assert!(changed(&[("MINOR 2", "MINOR 1")]).is_err());
        assert_eq!(changed(&[MAJOR, ("MINOR 2", "MINOR 0")]), Ok(()));
        assert!(check(OLD, "BEVRT_ABI_MAJOR 0\n").is_err());
    }
}
