//! Who may do what: access control lists and the schemes `world`, `auth`, `digest` and `ip`.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tidemill_zookeeper_wire::ErrorCode;
use tidemill_zookeeper_wire::data::{Acl, Id};

/// Whether somebody with these identities may do this.
pub(crate) fn permits(acl: &[Acl], permission: i32, identities: &[Id]) -> bool {
    acl.is_empty()
        || identities.iter().any(|identity| identity.scheme == "super")
        || acl.iter().filter(|entry| entry.perms & permission != 0).any(|entry| {
            identities.iter().any(|identity| means(&entry.id, identity)) || is_anyone(&entry.id)
        })
}

/// `NOAUTH` if not.
pub(crate) fn require(acl: &[Acl], permission: i32, identities: &[Id]) -> Result<(), ErrorCode> {
    if permits(acl, permission, identities) { Ok(()) } else { Err(ErrorCode::NoAuth) }
}

/// The list as it is stored: `auth` stands for the identities of who sets it, doubles go.
pub(crate) fn resolve(asked: &[Acl], identities: &[Id]) -> Result<Vec<Acl>, ErrorCode> {
    let mut resolved: Vec<Acl> = Vec::with_capacity(asked.len());
    let mut add = |entry: Acl| {
        if !resolved.contains(&entry) {
            resolved.push(entry);
        }
    };
    for entry in asked {
        match entry.id.scheme.as_str() {
            "world" if is_anyone(&entry.id) => add(entry.clone()),
            "auth" => {
                // An address is no proof of who somebody is.
                let proven: Vec<&Id> = identities.iter().filter(|id| id.scheme != "ip").collect();
                if proven.is_empty() {
                    return Err(ErrorCode::InvalidAcl);
                }
                proven.into_iter().for_each(|id| add(Acl { perms: entry.perms, id: id.clone() }));
            }
            "digest" if entry.id.id.split(':').count() == 2 => add(entry.clone()),
            "ip" if network(&entry.id.id).is_some() => add(entry.clone()),
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if resolved.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(resolved) }
}

/// The list for somebody who may read it but not set it: without the passwords' hashes.
pub(crate) fn masked(acl: &[Acl]) -> Vec<Acl> {
    let mask = |entry: &Acl| match entry.id.id.split_once(':') {
        Some((user, _)) if entry.id.scheme == "digest" => {
            Acl { perms: entry.perms, id: Id::new("digest", &format!("{user}:x")) }
        }
        _ => entry.clone(),
    };
    acl.iter().map(mask).collect()
}

/// The identity that `user:password` proves: `user:` and the hash of both.
pub(crate) fn digest(credentials: &[u8]) -> Option<Id> {
    let text = std::str::from_utf8(credentials).ok()?;
    let (user, _) = text.split_once(':').unwrap_or((text, ""));
    let hash = STANDARD.encode(Sha1::digest(credentials));
    Some(Id::new("digest", &format!("{user}:{hash}")))
}

fn is_anyone(id: &Id) -> bool {
    id.scheme == "world" && id.id == "anyone"
}

fn means(entry: &Id, identity: &Id) -> bool {
    if entry.scheme != identity.scheme {
        return false;
    }
    match entry.scheme.as_str() {
        "ip" => match (network(&entry.id), identity.id.parse()) {
            (Some(network), Ok(address)) => network.holds(address),
            _ => false,
        },
        _ => entry.id == identity.id,
    }
}

struct Network {
    address: IpAddr,
    bits: u32,
}

/// `address` or `address/bits`.
fn network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some(Network { address, bits })
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros()
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        differing >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use tidemill_zookeeper_wire::data::perms;

    use super::*;

    fn entry(perms: i32, scheme: &str, id: &str) -> Acl {
        Acl { perms, id: Id::new(scheme, id) }
    }

    #[test]
    fn a_digest_is_the_hash_that_zookeeper_makes() {
        // `DigestAuthenticationProvider super:test`, known from ZooKeeper's documentation.
        let id = digest(b"super:test").unwrap();
        assert_eq!(id.id, "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    }

    #[test]
    fn an_entry_permits_whom_it_means() {
        let user = digest(b"ada:secret").unwrap();
        let here = Id::new("ip", "127.0.0.1");
        for (acl, identities, expected) in [
            (vec![entry(perms::READ, "world", "anyone")], vec![], true),
            (vec![entry(perms::WRITE, "world", "anyone")], vec![], false),
            (vec![entry(perms::ALL, "digest", &user.id)], vec![user.clone()], true),
            (vec![entry(perms::ALL, "digest", &user.id)], vec![here.clone()], false),
            (vec![entry(perms::ALL, "ip", "127.0.0.0/8")], vec![here.clone()], true),
            (vec![entry(perms::ALL, "ip", "10.0.0.0/8")], vec![here.clone()], false),
            (vec![entry(perms::ALL, "ip", "127.0.0.1")], vec![here], true),
            (vec![entry(perms::ALL, "ip", "10.0.0.1")], vec![Id::new("super", "")], true),
        ] {
            assert_eq!(permits(&acl, perms::READ, &identities), expected, "{acl:?} {identities:?}");
        }
    }

    #[test]
    fn auth_stands_for_who_sets_it() {
        let user = digest(b"ada:secret").unwrap();
        let asked = [entry(perms::ALL, "auth", ""), entry(perms::ALL, "auth", "")];
        let identities = [Id::new("ip", "127.0.0.1"), user.clone()];
        assert_eq!(resolve(&asked, &identities), Ok(vec![Acl { perms: perms::ALL, id: user }]));
        assert_eq!(resolve(&asked, &identities[..1]), Err(ErrorCode::InvalidAcl));
    }

    #[test]
    fn a_list_that_means_nobody_is_refused() {
        let lists = [
            vec![],
            vec![entry(31, "world", "nobody")],
            vec![entry(31, "digest", "no hash")],
            vec![entry(31, "ip", "127.0.0.1/33")],
            vec![entry(31, "kerberos", "ada")],
        ];
        for asked in lists {
            assert_eq!(resolve(&asked, &[]), Err(ErrorCode::InvalidAcl), "{asked:?}");
        }
    }
}
