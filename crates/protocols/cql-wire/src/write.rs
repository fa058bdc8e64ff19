//! Writing the notations of the specification.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

/// The longest `[string]` and `[short bytes]`; longer ones are cut at a character.
const SHORT_MAX: usize = u16::MAX as usize;

/// The notations of the specification, on the buffer that goes to the socket.
pub trait WireWrite {
    /// `[string]`. Texts of our own are far below 64 KiB; a longer one is cut at a character.
    fn put_string(&mut self, text: &str);
    /// `[long string]`.
    fn put_long_string(&mut self, text: &str);
    /// `[string list]`.
    fn put_string_list<S: AsRef<str>>(&mut self, list: &[S]);
    /// `[string map]`.
    fn put_string_map<K: AsRef<str>, V: AsRef<str>>(&mut self, map: &[(K, V)]);
    /// `[bytes]`; null is -1.
    fn put_value(&mut self, bytes: Option<&[u8]>);
    /// `[short bytes]`.
    fn put_short_bytes(&mut self, bytes: &[u8]);
    /// `[uuid]`.
    fn put_uuid(&mut self, uuid: Uuid);
    /// `[inet]`.
    fn put_inet(&mut self, address: SocketAddr);
    /// `[inetaddr]`.
    fn put_inet_address(&mut self, address: IpAddr);
    /// A count that is a `[short]`. Lists this long are refused before they are built.
    fn put_count(&mut self, count: usize);
}

impl WireWrite for BytesMut {
    fn put_string(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(SHORT_MAX)];
        self.put_count(text.len());
        self.put_slice(text.as_bytes());
    }

    fn put_long_string(&mut self, text: &str) {
        self.put_value(Some(text.as_bytes()));
    }

    fn put_string_list<S: AsRef<str>>(&mut self, list: &[S]) {
        self.put_count(list.len());
        for text in list {
            self.put_string(text.as_ref());
        }
    }

    fn put_string_map<K: AsRef<str>, V: AsRef<str>>(&mut self, map: &[(K, V)]) {
        self.put_count(map.len());
        for (key, value) in map {
            self.put_string(key.as_ref());
            self.put_string(value.as_ref());
        }
    }

    fn put_value(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                self.put_slice(&bytes[..bytes.len().min(i32::MAX as usize)]);
            }
            None => self.put_i32(-1),
        }
    }

    fn put_short_bytes(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(SHORT_MAX)];
        self.put_count(bytes.len());
        self.put_slice(bytes);
    }

    fn put_uuid(&mut self, uuid: Uuid) {
        self.put_slice(uuid.as_bytes());
    }

    fn put_inet(&mut self, address: SocketAddr) {
        self.put_inet_address(address.ip());
        self.put_i32(i32::from(address.port()));
    }

    fn put_inet_address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => {
                self.put_u8(4);
                self.put_slice(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.put_u8(16);
                self.put_slice(&v6.octets());
            }
        }
    }

    fn put_count(&mut self, count: usize) {
        self.put_u16(u16::try_from(count).unwrap_or(u16::MAX));
    }
}
