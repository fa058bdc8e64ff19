//! Names and namespaces.

use std::fmt;

/// The name of a record, enum or fixed type, or one of its aliases.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    name: String,
    space: Option<String>,
}

impl Name {
    /// A name as written in a schema: with dots it carries its namespace, without it has the one
    /// given. The empty namespace is none.
    pub(super) fn new(written: &str, space: Option<&str>) -> Name {
        let (name, space) = match written.rsplit_once('.') {
            Some((space, name)) => (name, Some(space)),
            None => (written, space),
        };
        let space = space.filter(|space| !space.is_empty());
        Name { name: name.to_owned(), space: space.map(str::to_owned) }
    }

    /// The name without its namespace.
    pub fn simple(&self) -> &str {
        &self.name
    }

    /// The namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.space.as_deref()
    }

    /// Namespace and name, with a dot between.
    pub fn full(&self) -> String {
        self.to_string()
    }

    /// How a schema's text refers to this name where `space` is the namespace: the simple name if
    /// that is enough, unless it would be read as a type of Avro's own.
    pub(super) fn qualified(&self, space: Option<&str>) -> String {
        if self.space.is_some() && self.space.as_deref() == space && !is_type_name(&self.name) {
            self.name.clone()
        } else {
            self.full()
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.space {
            Some(space) => write!(f, "{space}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn is_type_name(name: &str) -> bool {
    const TYPES: [&str; 14] = [
        "record", "enum", "array", "map", "union", "fixed", "string", "bytes", "int", "long",
        "float", "double", "boolean", "null",
    ];
    TYPES.contains(&name)
}

/// What a name may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameRule {
    /// The specification's: ASCII letters, digits and `_`.
    Strict,
    /// Letters and digits of any script.
    Utf,
}

impl NameRule {
    /// What is wrong with one part of a name, in Java's words.
    pub(super) fn check(self, name: &str) -> Result<(), String> {
        let mut chars = name.chars();
        let Some(first) = chars.next() else {
            return Err("Empty name".to_owned());
        };
        if !(self.is_letter(first) || first == '_') {
            return Err(format!("Illegal initial character: {name}"));
        }
        if chars.any(|c| !(self.is_letter(c) || self.is_digit(c) || c == '_')) {
            return Err(format!("Illegal character in: {name}"));
        }
        Ok(())
    }

    fn is_letter(self, c: char) -> bool {
        match self {
            NameRule::Strict => c.is_ascii_alphabetic(),
            NameRule::Utf => c.is_alphabetic(),
        }
    }

    fn is_digit(self, c: char) -> bool {
        match self {
            NameRule::Strict => c.is_ascii_digit(),
            NameRule::Utf => c.is_numeric(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_dots_carries_its_namespace() {
        for (written, space, full) in [
            ("a.b.C", Some("z"), "a.b.C"),
            ("C", Some("z"), "z.C"),
            ("C", Some(""), "C"),
            ("C", None, "C"),
            (".C", Some("z"), "C"),
        ] {
            assert_eq!(Name::new(written, space).full(), full);
        }
    }

    #[test]
    fn a_name_is_qualified_where_the_simple_one_would_mean_something_else() {
        let name = Name::new("n.C", None);
        assert_eq!(name.qualified(Some("n")), "C");
        assert_eq!(name.qualified(Some("m")), "n.C");
        assert_eq!(name.qualified(None), "n.C");
        assert_eq!(Name::new("n.string", None).qualified(Some("n")), "n.string");
    }
}
