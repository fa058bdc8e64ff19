//! Which paths there are (`PathUtils.validatePath`).

/// Whether this is a path: absolute, without an end slash, without empty parts, `.` and `..`,
/// without control characters and those that cannot be shown.
pub fn is_valid(path: &str) -> bool {
    if path == "/" {
        return true;
    }
    let Some(names) = path.strip_prefix('/') else { return false };
    names.split('/').all(|name| !matches!(name, "" | "." | ".."))
        && !names.chars().any(is_forbidden)
}

/// UTF-16's surrogates cannot be in a string here; the characters beyond 16 bits, which are two of
/// them there and therefore refused, can.
fn is_forbidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}'
        | '\u{10000}'..)
}

/// The path of the node above; that of a child of the root is the empty string's, `/`. `None` for
/// the root itself.
pub fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        (_, "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_has_no_empty_or_relative_parts() {
        for good in ["/", "/a", "/a/b", "/a.b/..c", "/locks/ä-0000000001"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "a", "/a/", "//", "/a//b", "/.", "/a/..", "/a\u{0}", "/\u{1f}", "/\u{fffd}"]
        {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_root_is_above_all() {
        assert_eq!((parent("/a/b"), name("/a/b")), (Some("/a"), "b"));
        assert_eq!((parent("/a"), name("/a")), (Some("/"), "a"));
        assert_eq!(parent("/"), None);
    }
}
