//! Reading the notations of the specification from a body.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Buf, Bytes};
use uuid::Uuid;

use crate::WireError;

/// Reads a body from front to back. What it hands out shares the body's memory.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
}

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident, $get:ident, $type:ty, $what:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(&mut self) -> Result<$type, WireError> {
            self.need($what, size_of::<$type>())?;
            Ok(self.bytes.$get())
        })*
    };
}

impl Reader {
    /// Reads from the first byte of `bytes`.
    pub fn new(bytes: Bytes) -> Reader {
        Reader { bytes }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// All that was not read yet.
    pub fn rest(self) -> Bytes {
        self.bytes
    }

    number! {
        /// `[byte]`.
        byte, get_u8, u8, "[byte]";
        /// `[short]`.
        short, get_u16, u16, "[short]";
        /// `[int]`.
        int, get_i32, i32, "[int]";
        /// `[long]`.
        long, get_i64, i64, "[long]";
    }

    /// `[string]`: a `[short]` length and UTF-8.
    pub fn string(&mut self) -> Result<String, WireError> {
        let length = usize::from(self.short()?);
        self.text("[string]", length)
    }

    /// `[long string]`: an `[int]` length and UTF-8.
    pub fn long_string(&mut self) -> Result<String, WireError> {
        let length = self.int()?;
        let length =
            usize::try_from(length).map_err(|_| WireError::invalid("[long string]", length))?;
        self.text("[long string]", length)
    }

    /// `[uuid]`.
    pub fn uuid(&mut self) -> Result<Uuid, WireError> {
        self.need("[uuid]", 16)?;
        let mut raw = [0; 16];
        self.bytes.copy_to_slice(&mut raw);
        Ok(Uuid::from_bytes(raw))
    }

    /// `[string list]`.
    pub fn string_list(&mut self) -> Result<Vec<String>, WireError> {
        let count = self.short()?;
        (0..count).map(|_| self.string()).collect()
    }

    /// `[string map]`, in the order sent.
    pub fn string_map(&mut self) -> Result<Vec<(String, String)>, WireError> {
        let count = self.short()?;
        (0..count).map(|_| Ok((self.string()?, self.string()?))).collect()
    }

    /// `[string multimap]`, in the order sent.
    pub fn string_multimap(&mut self) -> Result<Vec<(String, Vec<String>)>, WireError> {
        let count = self.short()?;
        (0..count).map(|_| Ok((self.string()?, self.string_list()?))).collect()
    }

    /// `[bytes]`: an `[int]` length, negative for null.
    pub fn bytes(&mut self) -> Result<Option<Bytes>, WireError> {
        match usize::try_from(self.int()?) {
            Ok(length) => self.take("[bytes]", length).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// `[short bytes]`.
    pub fn short_bytes(&mut self) -> Result<Bytes, WireError> {
        let length = usize::from(self.short()?);
        self.take("[short bytes]", length)
    }

    /// `[bytes map]`, in the order sent.
    pub fn bytes_map(&mut self) -> Result<Vec<(String, Option<Bytes>)>, WireError> {
        let count = self.short()?;
        (0..count).map(|_| Ok((self.string()?, self.bytes()?))).collect()
    }

    /// `[inet]`: address and port.
    pub fn inet(&mut self) -> Result<std::net::SocketAddr, WireError> {
        let address = self.inet_address()?;
        let port = self.int()?;
        let port = u16::try_from(port).map_err(|_| WireError::invalid("port", port))?;
        Ok((address, port).into())
    }

    /// `[inetaddr]`: address without port.
    pub fn inet_address(&mut self) -> Result<IpAddr, WireError> {
        let length = self.byte()?;
        let raw = self.take("[inetaddr]", usize::from(length))?;
        address(&raw).ok_or_else(|| WireError::invalid("address length", length))
    }

    /// So many bytes as they are. `what` names them in the error.
    pub fn take(&mut self, what: &'static str, length: usize) -> Result<Bytes, WireError> {
        self.need(what, length)?;
        Ok(self.bytes.split_to(length))
    }

    /// A capacity for `count` announced items: no more than the bytes left could hold, so that a
    /// lie in a length costs nothing.
    pub(crate) fn capacity(&self, count: usize, item_bytes_min: usize) -> usize {
        count.min(self.bytes.len() / item_bytes_min.max(1))
    }

    fn text(&mut self, what: &'static str, length: usize) -> Result<String, WireError> {
        let raw = self.take(what, length)?;
        std::str::from_utf8(&raw).map(str::to_owned).map_err(|_| WireError::NotUtf8)
    }

    fn need(&self, what: &'static str, needed: usize) -> Result<(), WireError> {
        let left = self.bytes.len();
        if left < needed { Err(WireError::Truncated { what, needed, left }) } else { Ok(()) }
    }
}

/// An address of 4 or 16 bytes.
pub(crate) fn address(raw: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(raw) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(raw).ok().map(|v6| Ipv6Addr::from(v6).into())
}
