//! What is wrong with a DAG file, and where.

use std::fmt;

/// Why a file was not taken. Shown as `file:line:column: message` with the line itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Path inside the DAG folder.
    pub file: String,
    /// From 1; none when it concerns the file as a whole.
    pub line: Option<u64>,
    /// From 1.
    pub column: Option<u64>,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The line's text.
    pub shown: Option<String>,
}

/// Characters of a line that are repeated in an error.
const SHOWN_CHARS_MAX: usize = 120;

impl ImportError {
    /// About the file as a whole.
    pub fn of_file(file: &str, message: impl Into<String>) -> ImportError {
        ImportError {
            file: file.to_owned(),
            line: None,
            column: None,
            message: message.into(),
            shown: None,
        }
    }

    /// About one place in it.
    pub fn at(
        file: &str,
        source: &str,
        location: serde_saphyr::Location,
        message: impl Into<String>,
    ) -> ImportError {
        let line = Some(location.line()).filter(|line| *line > 0);
        let column = line.map(|_| location.column());
        ImportError { column, ..ImportError::at_line(file, source, line, message) }
    }

    /// About one line of it, if that is known.
    pub fn at_line(
        file: &str,
        source: &str,
        line: Option<u64>,
        message: impl Into<String>,
    ) -> ImportError {
        let index = line.and_then(|line| usize::try_from(line.checked_sub(1)?).ok());
        let shown = index.and_then(|index| source.lines().nth(index));
        ImportError {
            file: file.to_owned(),
            line,
            column: None,
            message: message.into(),
            shown: shown.map(|line| line.chars().take(SHOWN_CHARS_MAX).collect()),
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match (&self.shown, self.line) {
            (Some(shown), Some(line)) => write!(f, "\n\n  {line} | {shown}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ImportError {}
