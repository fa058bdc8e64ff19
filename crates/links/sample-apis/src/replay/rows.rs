//! A data file as rows in memory.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use tidemill_runtime::{ByteSize, OpenMode, World};

use super::csv::{CsvError, Table};

/// The largest file that is read: all of it is kept in memory.
const FILE_BYTES_MAX: ByteSize = ByteSize::mib(256);

/// Why a file cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is too large to be kept in memory.
    #[error("{} has {bytes} bytes, more than {FILE_BYTES_MAX}: serve a part of it", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// It holds something else than rows.
    #[error("{}: {reason}", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Which row or line is wrong, and why.
        reason: String,
    },
    /// The service was stopped while it read.
    #[error("stopped while reading {}", file.display())]
    Interrupted {
        /// Which file.
        file: PathBuf,
    },
}

/// Each row is the text of one JSON object.
#[derive(Debug)]
pub(crate) struct Rows {
    file: PathBuf,
    rows: Vec<Box<RawValue>>,
}

impl Rows {
    /// Reads a file. One that ends in `.csv` is CSV with a header; otherwise `[` begins an array
    /// of objects, and anything else is an object on each line.
    pub(super) fn load(file: &Path, world: &World) -> Result<Rows, ReplayError> {
        let bytes = read(file, world)?;
        let rows = parse(file, &bytes)
            .map_err(|reason| ReplayError::Malformed { file: file.to_owned(), reason })?;
        Ok(Rows { file: file.to_owned(), rows })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The file's name, without its folders.
    pub(super) fn file(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Rows `start..end`, as far as there are any.
    pub(super) fn slice(&self, start: usize, end: usize) -> &[Box<RawValue>] {
        self.rows.get(start..end.min(self.rows.len())).unwrap_or_default()
    }

    /// `{"n":0}`, `{"n":1}`, …
    #[cfg(test)]
    pub(super) fn numbered(count: usize) -> Rows {
        let row = |n| RawValue::from_string(format!("{{\"n\":{n}}}")).unwrap();
        Rows { file: PathBuf::from("numbers.json"), rows: (0..count).map(row).collect() }
    }
}

fn read(file: &Path, world: &World) -> Result<Vec<u8>, ReplayError> {
    let failed = |source| ReplayError::Read { file: file.to_owned(), source };
    let opened = world.disk.open(file, OpenMode::Existing).map_err(failed)?;
    let bytes = opened.len().map_err(failed)?;
    if bytes > FILE_BYTES_MAX.0 {
        return Err(ReplayError::TooLarge { file: file.to_owned(), bytes });
    }
    let mut content = vec![0; ByteSize(bytes).as_usize()];
    opened.read_exact_at(&mut content, 0).map_err(failed)?;
    Ok(content)
}

fn parse(file: &Path, bytes: &[u8]) -> Result<Vec<Box<RawValue>>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        from_csv(text).map_err(|error| error.to_string())
    } else if text.trim_start().starts_with('[') {
        from_array(text)
    } else {
        from_lines(text)
    }
}

fn from_array(text: &str) -> Result<Vec<Box<RawValue>>, String> {
    let rows: Vec<Box<RawValue>> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON array: {error}"))?;
    match rows.iter().position(|row| !row.get().starts_with('{')) {
        Some(wrong) => Err(format!("row {wrong} (from 0) is not a JSON object")),
        None => Ok(rows),
    }
}

fn from_lines(text: &str) -> Result<Vec<Box<RawValue>>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.map(|(index, line)| {
        let row: Result<Box<RawValue>, _> = serde_json::from_str(line);
        match row {
            Ok(row) if row.get().starts_with('{') => Ok(row),
            Ok(_) => Err(format!("line {} is not a JSON object", index + 1)),
            Err(error) => Err(format!("line {} is not JSON: {error}", index + 1)),
        }
    });
    rows.collect()
}

fn from_csv(text: &str) -> Result<Vec<Box<RawValue>>, CsvError> {
    let Table { header, records } = Table::parse(text)?;
    let rows = records.into_iter().map(|record| {
        let cells = header.iter().cloned().zip(record.into_iter().map(Value::String));
        to_raw_value(&cells.collect::<Map<_, _>>()).expect("a map of text is JSON")
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, content: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let rows = Rows::load(&file, &World::real()).map_err(|error| error.to_string())?;
        assert_eq!(rows.file(), name);
        Ok(rows.slice(0, rows.len()).iter().map(|row| row.get().to_owned()).collect())
    }

    #[test]
    fn rows_of_json_are_sent_as_they_stand_in_the_file() {
        let rows = ["{\"a\": 1.50,\"b\":[1]}", "{ \"a\":2 }"];
        assert_eq!(load("a.json", &format!(" [{},\n{}]", rows[0], rows[1])).unwrap(), rows);
        assert_eq!(load("a.json", &format!("\u{feff}{}\n\n{}\n", rows[0], rows[1])).unwrap(), rows);
        assert!(load("a.json", "[]").unwrap().is_empty() && load("a.json", "").unwrap().is_empty());
    }

    #[test]
    fn cells_of_csv_are_text_under_the_names_of_the_header() {
        let rows = load("a.CSV", "code,name\n007,\"O\"\"Hare, Chicago\"\n").unwrap();
        assert_eq!(rows, [r#"{"code":"007","name":"O\"Hare, Chicago"}"#]);
    }

    #[test]
    fn a_file_that_holds_no_rows_is_refused_with_the_place() {
        for (name, content, reason) in [
            ("a.json", "[{},2]", "row 1 (from 0) is not a JSON object"),
            ("a.json", "[{},", "not a JSON array: EOF while parsing a value at line 1 column 4"),
            ("a.json", "{}\n3", "line 2 is not a JSON object"),
            ("a.json", "{}\n{", "line 2 is not JSON"),
            ("a.csv", "a,b\n1", "the record at line 2 has 1 cells, the header 2"),
        ] {
            let error = load(name, content).unwrap_err();
            assert!(error.contains(name) && error.contains(reason), "{error}");
        }
        let missing = Rows::load(Path::new("no/such.json"), &World::real()).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read no/such.json: "), "{missing}");
    }
}
