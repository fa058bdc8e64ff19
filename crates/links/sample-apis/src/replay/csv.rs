//! CSV as RFC 4180 has it: a header, then records of as many cells; LF or CRLF; empty lines are
//! skipped.

/// Why a text is not CSV. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsvError {
    #[error("the header names column {0:?} twice")]
    Header(String),
    #[error("the record at line {line} has {found} cells, the header {expected}")]
    Width { line: usize, found: usize, expected: usize },
    #[error("a quote at line {line} that neither begins nor ends a cell, nor is doubled")]
    Quote { line: usize },
    #[error("the quote at line {line} is never closed")]
    Open { line: usize },
}

/// A header and its records, each as wide as the header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) records: Vec<Vec<String>>,
}

impl Table {
    /// Reads a whole text; an empty one is a table without columns.
    pub(super) fn parse(text: &str) -> Result<Table, CsvError> {
        let mut reader = Reader { rest: text, line: 1 };
        let mut table = Table::default();
        while !reader.rest.is_empty() {
            let line = reader.line;
            let record = reader.record()?;
            if record.len() == 1 && record[0].is_empty() {
                continue;
            }
            let (found, expected) = (record.len(), table.header.len());
            if expected == 0 {
                table.header = unique(record)?;
            } else if found == expected {
                table.records.push(record);
            } else {
                return Err(CsvError::Width { line, found, expected });
            }
        }
        Ok(table)
    }
}

fn unique(header: Vec<String>) -> Result<Vec<String>, CsvError> {
    let twice = header.iter().enumerate().find(|(place, name)| header[..*place].contains(name));
    match twice {
        Some((_, name)) => Err(CsvError::Header(name.clone())),
        None => Ok(header),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// One record and the line end after it.
    fn record(&mut self) -> Result<Vec<String>, CsvError> {
        let mut cells = Vec::new();
        loop {
            cells.push(if self.skip("\"") { self.quoted()? } else { self.plain()? });
            if self.skip(",") {
                continue;
            }
            if self.rest.is_empty() || self.skip("\n") || self.skip("\r\n") {
                self.line += 1;
                return Ok(cells);
            }
            return Err(CsvError::Quote { line: self.line });
        }
    }

    fn skip(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn plain(&mut self) -> Result<String, CsvError> {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let cell = &self.rest[..end];
        // The carriage return belongs to the line end, if there is one.
        let at_line_end = self.rest[end..].starts_with('\n');
        let cell = cell.strip_suffix('\r').filter(|_| at_line_end).unwrap_or(cell);
        if cell.contains('"') {
            return Err(CsvError::Quote { line: self.line });
        }
        self.rest = &self.rest[cell.len()..];
        Ok(cell.to_owned())
    }

    /// What follows an opening quote, and the closing one.
    fn quoted(&mut self) -> Result<String, CsvError> {
        let (first_line, mut cell) = (self.line, String::new());
        while let Some(end) = self.rest.find('"') {
            let part = &self.rest[..end];
            self.line += part.matches('\n').count();
            cell.push_str(part);
            self.rest = &self.rest[end + 1..];
            if !self.skip("\"") {
                return Ok(cell);
            }
            cell.push('"');
        }
        Err(CsvError::Open { line: first_line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_commas_line_ends_and_quotes() {
        let text = "a,b,c\r\n1,\"x, \"\"y\"\"\",\r\n\n\"two\nlines\",\"\",é\n7,8,9";
        let table = Table::parse(text).unwrap();
        assert_eq!(table.header, ["a", "b", "c"]);
        assert_eq!(
            table.records,
            [["1", "x, \"y\"", ""], ["two\nlines", "", "é"], ["7", "8", "9"]]
        );
        assert_eq!(Table::parse("").unwrap(), Table::default());
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_line() {
        for (text, error) in [
            ("a,b\n1,2\n3", CsvError::Width { line: 3, found: 1, expected: 2 }),
            ("a,b\n\"1\n\",2\n3,4,5", CsvError::Width { line: 4, found: 3, expected: 2 }),
            ("a,b,a\n", CsvError::Header("a".to_owned())),
            ("a\nx\"y", CsvError::Quote { line: 2 }),
            ("a\n\"x\"y", CsvError::Quote { line: 2 }),
            ("a\n\n\"x\n", CsvError::Open { line: 3 }),
        ] {
            assert_eq!(Table::parse(text), Err(error), "{text:?}");
        }
    }
}
