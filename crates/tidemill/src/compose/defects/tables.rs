//! Statements in CQL inside of Python texts: columns that an INSERT names and the table lacks.

use std::collections::BTreeMap;

use super::super::sources::SourceFile;
use super::{Notice, place};

/// A statement found in a file.
struct Statement<'a> {
    file: &'a SourceFile,
    /// Where its list of columns begins.
    offset: usize,
    table: String,
    /// Name and offset in the file.
    columns: Vec<(String, usize)>,
}

/// Columns that are inserted into tables that do not have them.
pub(super) fn find(files: &[SourceFile]) -> Vec<Notice> {
    let mut created: BTreeMap<String, Statement<'_>> = BTreeMap::new();
    for statement in files.iter().flat_map(|file| statements(file, "create table", created_column))
    {
        created.entry(statement.table.clone()).or_insert(statement);
    }
    let mut notices = Vec::new();
    for insert in files.iter().flat_map(|file| statements(file, "insert into", inserted_column)) {
        let Some(table) = created.get(&insert.table) else { continue };
        for (column, offset) in &insert.columns {
            if table.columns.iter().any(|(name, _)| name == column) {
                continue;
            }
            let file = insert.file.path.display().to_string();
            let what = format!(
                "{column} is inserted, and table {} ({}:{}) has no such column: the statement fails when it is run",
                insert.table,
                table.file.path.display(),
                line_of(&table.file.text, table.offset),
            );
            notices.push(Notice::breaking(
                place(&file, line_of(&insert.file.text, *offset)),
                what,
                format!("{column} TEXT in CREATE TABLE, or leave it out of the INSERT"),
            ));
        }
    }
    notices
}

/// Every `<verb> [IF NOT EXISTS] table (…)` of a file; `column` takes the name of a column out of
/// one member of the list.
fn statements<'a>(
    file: &'a SourceFile,
    verb: &str,
    column: fn(&str) -> Option<&str>,
) -> Vec<Statement<'a>> {
    let text = &file.text;
    // ASCII only, so that offsets stay those of the text.
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices(verb) {
        let rest = &lower[at + verb.len()..];
        let Some(open) = rest.find('(') else { continue };
        let name = rest[..open].trim().trim_start_matches("if not exists").trim();
        let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '"');
        if name.is_empty() || !name.chars().all(is_name) {
            continue;
        }
        let offset = at + verb.len() + open + 1;
        let Some(end) = closing(&lower[offset..]) else { continue };
        let mut columns = Vec::new();
        for (start, member) in members(&lower[offset..offset + end]) {
            if let Some(name) = column(member) {
                let within = member.find(name).unwrap_or(0);
                columns.push((name.trim_matches('"').to_owned(), offset + start + within));
            }
        }
        found.push(Statement { file, offset, table: name.replace('"', ""), columns });
    }
    found
}

/// `first_name TEXT` is a column, `PRIMARY KEY (id)` is none.
fn created_column(member: &str) -> Option<&str> {
    let mut words = member.split_whitespace();
    let name = words.next()?;
    (name != "primary" && words.next().is_some()).then_some(name)
}

fn inserted_column(member: &str) -> Option<&str> {
    let name = member.trim();
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '"');
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Where the parenthesis closes that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => open += 1,
            ')' if open == 0 => return Some(at),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

/// The members of a list, split at commas outside of parentheses and angle brackets.
fn members(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            ',' if depth == 0 => {
                found.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, &text[start..]));
    found
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, String)> {
        let file = SourceFile { path: "s.py".into(), text: text.to_owned(), is_dag: false };
        find(&[file]).into_iter().map(|notice| (notice.place, notice.what)).collect()
    }

    const TABLE: &str = "session.execute(\"\"\"\n  CREATE TABLE IF NOT EXISTS spark_streams.users (\n  \
                         id UUID, first_name TEXT, tags map<text, text>,\n  PRIMARY KEY (id));\n\"\"\")\n";

    #[test]
    fn a_column_that_the_table_lacks_is_named_with_its_line() {
        let insert = "session.execute(\"\"\"\n  INSERT INTO spark_streams.users(id, first_name,\n    \
                      dob) VALUES (%s, %s, %s)\n\"\"\")\n";
        let told = told(&format!("{TABLE}{insert}"));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, "s.py:8");
        assert!(told[0].1.contains("dob") && told[0].1.contains("s.py:2"), "{told:?}");
    }

    #[test]
    fn what_fits_or_is_unknown_is_not_told() {
        for insert in [
            "INSERT INTO spark_streams.users (id, tags) VALUES (%s, %s)",
            "INSERT INTO other.users (id, dob) VALUES (%s, %s)",
            "insert into spark_streams.users({', '.join(columns)}) values",
            "INSERT INTO spark_streams.users JSON ?",
        ] {
            assert_eq!(told(&format!("{TABLE}{insert}")), [], "{insert}");
        }
    }
}
