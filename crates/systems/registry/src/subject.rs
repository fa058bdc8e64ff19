//! Subjects and the contexts they live in.
//!
//! A context is a registry within the registry: ids and schemas are counted in each by itself. A
//! qualified subject is written `:.context:name`; without the prefix it is in the default context.

/// The default context.
pub const DEFAULT_CONTEXT: &str = ".";
/// The context whose configuration and mode apply where nothing nearer is set.
pub const GLOBAL_CONTEXT: &str = ".__GLOBAL";
/// Before a subject prefix: in every context.
pub const ANY_CONTEXT: &str = ":*:";

/// Context and name of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qualified<'a> {
    /// With its leading dot; [`DEFAULT_CONTEXT`] if none was written.
    pub context: &'a str,
    /// The rest; empty for a context as a whole.
    pub name: &'a str,
}

impl<'a> Qualified<'a> {
    /// Takes a written subject apart.
    pub fn parse(subject: &'a str) -> Qualified<'a> {
        if let Some(rest) = subject.strip_prefix(':').filter(|rest| rest.starts_with('.')) {
            return match rest.split_once(':') {
                Some((context, name)) => Qualified { context, name },
                None => Qualified { context: rest, name: "" },
            };
        }
        match subject.strip_prefix(ANY_CONTEXT) {
            Some(name) => Qualified { context: "*", name },
            None => Qualified { context: DEFAULT_CONTEXT, name: subject },
        }
    }

    /// The subject as it is written and stored.
    pub fn written(self) -> String {
        format!("{}{}", context_prefix(self.context), self.name)
    }

    /// Whether it is in a context of its own.
    pub fn has_context(self) -> bool {
        self.context != DEFAULT_CONTEXT
    }
}

/// What stands before the subjects of a context.
pub fn context_prefix(context: &str) -> String {
    if context == DEFAULT_CONTEXT { String::new() } else { format!(":{context}:") }
}

/// The context of a subject.
pub fn context_of(subject: &str) -> &str {
    Qualified::parse(subject).context
}

/// The same subject in its one spelling: the default context is not written.
pub fn normalized(subject: &str) -> String {
    Qualified::parse(subject).written()
}

/// A context from a path (`/contexts/{context}/…`), with or without dot and colons; none if it
/// cannot be one.
pub fn context_from_path(written: &str) -> Option<String> {
    let name = written.strip_prefix(':').unwrap_or(written);
    let name = name.strip_suffix(':').unwrap_or(name);
    if name.contains(':') {
        return None;
    }
    Some(if name.starts_with('.') { name.to_owned() } else { format!(".{name}") })
}

/// A subject named by another one: without a context of its own it is in that one's.
pub fn relative_to(parent: &str, subject: &str) -> String {
    let own = Qualified::parse(subject);
    if own.has_context() {
        return own.written();
    }
    Qualified { context: context_of(parent), name: own.name }.written()
}

/// Whether schemas may be registered under this name; `for_settings`: whether configuration or mode
/// may be set for it.
pub fn is_valid(subject: &str, for_settings: bool) -> bool {
    let qualified = Qualified::parse(subject);
    !subject.chars().any(char::is_control)
        && !matches!(qualified.name, "__GLOBAL" | "__EMPTY")
        && (for_settings || qualified.context != GLOBAL_CONTEXT)
}

/// Whether `subject` is the one named, or in the context named.
pub fn is_within(subject: &str, named: Option<&str>) -> bool {
    let Some(named) = named else { return true };
    let outer = Qualified::parse(named);
    subject == named
        || (outer.name.is_empty()
            && (outer.context == GLOBAL_CONTEXT || outer.context == context_of(subject)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_taken_apart_and_put_together() {
        for (written, context, name, normal) in [
            ("users-value", ".", "users-value", "users-value"),
            (":.prod:users", ".prod", "users", ":.prod:users"),
            (":.prod:", ".prod", "", ":.prod:"),
            (":.prod", ".prod", "", ":.prod:"),
            (":.:users", ".", "users", "users"),
            (":*:users", "*", "users", ":*:users"),
            ("a:.b:c", ".", "a:.b:c", "a:.b:c"),
            ("", ".", "", ""),
        ] {
            assert_eq!(Qualified::parse(written), Qualified { context, name });
            assert_eq!(normalized(written), normal);
        }
    }

    #[test]
    fn a_reference_is_in_the_context_of_the_schema_that_makes_it() {
        assert_eq!(relative_to(":.a:x", "y"), ":.a:y");
        assert_eq!(relative_to(":.a:x", ":.b:y"), ":.b:y");
        assert_eq!(relative_to("x", "y"), "y");
    }

    #[test]
    fn a_context_is_written_in_several_ways() {
        for written in ["prod", ".prod", ":.prod:"] {
            assert_eq!(context_from_path(written).as_deref(), Some(".prod"));
        }
        assert_eq!(context_from_path(".").as_deref(), Some("."));
        assert_eq!(context_from_path("a:b"), None);
    }

    #[test]
    fn a_name_holds_no_control_characters() {
        assert!(is_valid("a b/ü", false) && is_valid("", false));
        assert!(!is_valid("a\u{1}", false) && !is_valid("__GLOBAL", false));
        assert!(is_valid(":.__GLOBAL:", true) && !is_valid(":.__GLOBAL:x", false));
    }

    #[test]
    fn a_context_holds_its_subjects() {
        assert!(is_within("x", None) && is_within("x", Some("x")) && is_within("x", Some("")));
        assert!(is_within(":.a:x", Some(":.a:")) && !is_within("x", Some(":.a:")));
        assert!(is_within(":.a:x", Some(":.__GLOBAL:")) && !is_within("x", Some("y")));
    }
}
