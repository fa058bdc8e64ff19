//! Variables in a compose file: `$NAME`, `${NAME}`, defaults (`:-`, `-`), required ones (`:?`, `?`)
//! and replacements (`:+`, `+`); `$$` is a dollar. And `.env` files, where their values come from.
//!
//! Spec: <https://docs.docker.com/reference/compose-file/interpolation/>

use std::collections::BTreeMap;

use super::tree::{Node, Value};

/// Defaults may contain variables whose defaults contain variables.
const DEPTH_MAX: usize = 16;

/// What variables are worth.
pub(super) type Variables = BTreeMap<String, String>;

/// Why a text could not be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InterpolateError {
    #[error("invalid interpolation format in {0:?}: a variable is ${{NAME}}, a dollar is $$")]
    Format(String),
    #[error("required variable {name} is missing a value{message}")]
    Required {
        name: String,
        /// What the file says about it, after `: `; empty if it says nothing.
        message: String,
    },
}

/// Replaces variables in every text below `node`, keys excepted. The error names the line.
pub(super) fn tree(
    node: &mut Node,
    variables: &Variables,
) -> Result<(), (usize, InterpolateError)> {
    match &mut node.value {
        Value::Null => {}
        Value::Text(text) => {
            if text.contains('$') {
                *text = complete(text, variables).map_err(|error| (node.line, error))?;
            }
        }
        Value::List(members) => {
            for member in members {
                tree(member, variables)?;
            }
        }
        Value::Map(entries) => {
            for (_, entry) in entries {
                tree(entry, variables)?;
            }
        }
    }
    Ok(())
}

/// One text with its variables replaced; one that has no value is empty, as in compose.
pub(super) fn complete(text: &str, variables: &Variables) -> Result<String, InterpolateError> {
    expand(text, variables, 0)
}

fn expand(text: &str, variables: &Variables, depth: usize) -> Result<String, InterpolateError> {
    let wrong = || InterpolateError::Format(text.to_owned());
    if depth > DEPTH_MAX {
        return Err(wrong());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(braced) = rest.strip_prefix('{') {
            let end = closing_brace(braced).ok_or_else(wrong)?;
            let name_len = name_len(braced);
            if name_len == 0 {
                return Err(wrong());
            }
            let (name, operation) = braced[..end].split_at(name_len);
            out.push_str(&operated(name, operation, variables, depth).ok_or_else(wrong)??);
            rest = &braced[end + 1..];
        } else {
            let name_len = name_len(rest);
            if name_len == 0 {
                return Err(wrong());
            }
            let (name, after) = rest.split_at(name_len);
            out.push_str(variables.get(name).map_or("", String::as_str));
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What `${name<operation>}` is worth; none if there is no such operation.
fn operated(
    name: &str,
    operation: &str,
    variables: &Variables,
    depth: usize,
) -> Option<Result<String, InterpolateError>> {
    let value = variables.get(name);
    let filled = value.filter(|value| !value.is_empty());
    let of = |word: &str| expand(word, variables, depth + 1);
    let missing = |word: &str| {
        of(word).and_then(|said| {
            let message = if said.is_empty() { said } else { format!(": {said}") };
            Err(InterpolateError::Required { name: name.to_owned(), message })
        })
    };
    let found = |value: &String| Ok(value.clone());
    Some(match operation.split_at_checked(2) {
        Some((":-", word)) => filled.map_or_else(|| of(word), found),
        Some((":?", word)) => filled.map_or_else(|| missing(word), found),
        Some((":+", word)) => filled.map_or(Ok(String::new()), |_| of(word)),
        _ => match operation.split_at_checked(1) {
            None if operation.is_empty() => Ok(value.cloned().unwrap_or_default()),
            Some(("-", word)) => value.map_or_else(|| of(word), found),
            Some(("?", word)) => value.map_or_else(|| missing(word), found),
            Some(("+", word)) => value.map_or(Ok(String::new()), |_| of(word)),
            _ => return None,
        },
    })
}

/// Bytes of the name that a text begins with.
fn name_len(text: &str) -> usize {
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match text.as_bytes() {
        [first, ..] if first.is_ascii_digit() => 0,
        bytes => bytes.iter().take_while(|byte| named(byte)).count(),
    }
}

/// Where the brace is that closes the one before `text`.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0usize;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = letter;
    }
    None
}

/// Reads `NAME=value` lines: comments, `export`, single and double quotes. Unquoted and double
/// quoted values may use variables given before, or in `outer`. A line that is none is left out.
pub(super) fn dotenv(text: &str, outer: &Variables) -> Variables {
    let mut read = Variables::new();
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        if name.is_empty() || name_len(name) != name.len() {
            continue;
        }
        let known = || {
            let mut known = read.clone();
            known.extend(outer.clone());
            known
        };
        let value = match unquoted(value.trim()) {
            (Quotes::Single, value) => value,
            (_, value) if !value.contains('$') => value,
            (_, value) => complete(&value, &known()).unwrap_or(value),
        };
        read.insert(name.to_owned(), value);
    }
    read
}

#[derive(PartialEq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// The value without its quotes and without the comment behind it.
fn unquoted(value: &str) -> (Quotes, String) {
    for (quote, quotes) in [('\'', Quotes::Single), ('"', Quotes::Double)] {
        let Some(inner) = value.strip_prefix(quote) else { continue };
        let mut out = String::new();
        let mut letters = inner.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if quotes == Quotes::Double => match letters.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(other) => out.push(other),
                    None => {}
                },
                letter if letter == quote => return (quotes, out),
                letter => out.push(letter),
            }
        }
        return (quotes, out);
    }
    let end = value.find(" #").unwrap_or(value.len());
    let end = if value.starts_with('#') { 0 } else { end };
    (Quotes::None, value[..end].trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        [("A", "a"), ("EMPTY", ""), ("TAG", "7.4.0")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn variables_are_replaced_as_compose_replaces_them() {
        for (text, expected) in [
            ("$A-${A}", "a-a"),
            ("${NONE}|${EMPTY}", "|"),
            ("${NONE:-b}${EMPTY:-b}${A:-b}", "bba"),
            ("${NONE-b}${EMPTY-b}", "b"),
            ("${A:+x}${EMPTY:+x}${EMPTY+x}${NONE+x}", "xx"),
            ("image:${NONE:-${TAG:-1}}", "image:7.4.0"),
            ("$$A costs 5$$", "$A costs 5$"),
            ("${A:?must be}", "a"),
        ] {
            assert_eq!(complete(text, &variables()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_required_variable_and_a_lone_dollar_are_errors_that_say_so() {
        let error = complete("${NONE:?set it in .env}", &variables()).unwrap_err();
        assert_eq!(error.to_string(), "required variable NONE is missing a value: set it in .env");
        for text in ["5$", "${A", "${}", "${A!b}", "$ {A}"] {
            assert!(
                matches!(complete(text, &variables()), Err(InterpolateError::Format(_))),
                "{text}"
            );
        }
        let deep = "${X:-".repeat(40) + &"}".repeat(40);
        assert!(complete(&deep, &variables()).is_err());
    }

    #[test]
    fn an_env_file_is_read_with_quotes_comments_and_references() {
        let text = "# head\nexport A=1\nB = two words # note\nC='$A'\nD=\"${A}\\n\"\nnot a line\n\
                    E=${OUT}/x\n9=x\nF=\n";
        let outer = Variables::from([("OUT".to_owned(), "o".to_owned())]);
        let read = dotenv(text, &outer);
        let of = |name: &str| read.get(name).map(String::as_str);
        assert_eq!(
            [of("A"), of("B"), of("C"), of("D"), of("E"), of("F"), of("9")],
            [Some("1"), Some("two words"), Some("$A"), Some("1\n"), Some("o/x"), Some(""), None]
        );
    }
}
