//! Which names a topic may have. They become directory names and metric names.

/// Characters of a name: with `-<partition>` behind it still a directory name everywhere.
const LENGTH_MAX: usize = 249;

/// Groups and their offsets. As the next one, clients read it and do not write it.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Transactional ids.
pub(crate) const TRANSACTIONS_TOPIC: &str = "__transaction_state";

/// Says what is wrong with a name.
pub(crate) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the topic name is empty".to_owned());
    }
    if name == "." || name == ".." {
        return Err(format!("a topic cannot be named '{name}'"));
    }
    if name.len() > LENGTH_MAX {
        let length = name.len();
        return Err(format!("the topic name has {length} characters, {LENGTH_MAX} are allowed"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    match name.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!(
            "the topic name '{name}' contains {c:?}; letters, digits, '.', '_' and '-' are allowed"
        )),
        None => Ok(()),
    }
}

/// Whether two names differ only in `.` and `_`: metric names cannot tell those apart.
pub(crate) fn collide(a: &str, b: &str) -> bool {
    a != b && a.replace('.', "_") == b.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_kafka_takes() {
        for good in ["a", "users_created", "A.b-C_9", &"x".repeat(249), "..."] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "é", "a:b", &"x".repeat(250), "a\0"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(collide("a.b", "a_b") && !collide("a.b", "a.b") && !collide("a.b", "ab"));
    }
}
