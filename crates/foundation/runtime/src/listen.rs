//! Opening a port, or saying who holds it.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel queues before the box accepts them.
const BACKLOG: u32 = 1024;

/// Why a box could not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port.
    #[error(
        "{address} is taken by {holder}; stop it, or choose another address: {setting} = \"{}:0\" \
         takes a free port", address.ip()
    )]
    Taken {
        /// What was asked for.
        address: SocketAddr,
        /// Program and pid, or `another program`.
        holder: String,
        /// The key that sets the address, such as `[broker] listen`.
        setting: &'static str,
    },
    /// Law 6: whatever is not loopback needs TLS and authentication, which this listener has not.
    #[error(
        "{address} is reachable from other machines, and this listener has neither TLS nor \
         authentication; use {setting} = \"127.0.0.1:{}\"", address.port()
    )]
    Public {
        /// What was asked for.
        address: SocketAddr,
        /// The key that sets the address.
        setting: &'static str,
    },
    /// The system refused for another reason.
    #[error("cannot listen on {address} ({setting})")]
    Refused {
        /// What was asked for.
        address: SocketAddr,
        /// The key that sets the address.
        setting: &'static str,
        /// What it said.
        source: io::Error,
    },
}

/// Listens on a loopback address. `setting` is the configuration key that chose it.
pub fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() {
        return Err(ListenError::Public { address, setting });
    }
    bind(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken {
            address,
            holder: holder_of(address.port()).unwrap_or_else(|| "another program".to_owned()),
            setting,
        },
        _ => ListenError::Refused { address, setting, source },
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Without it a restart finds its own port held by connections that are closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The program that listens on a TCP port, as `name (pid n)`. Linux only: the kernel's socket table
/// gives the inode, and the process that has it open gives the name.
#[cfg(target_os = "linux")]
fn holder_of(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let text = std::fs::read_to_string(table).ok()?;
        text.lines().skip(1).find_map(|line| listener_inode(line, port).map(str::to_owned))
    })?;
    let wanted = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files.flatten().any(|file| {
            std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy() == wanted)
        });
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn holder_of(_port: u16) -> Option<String> {
    None
}

/// The inode in one line of the kernel's table, if it listens (state `0A`) on the port.
#[cfg(target_os = "linux")]
fn listener_inode(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let (_, hex_port) = local.rsplit_once(':')?;
    let listens = state == "0A" && u16::from_str_radix(hex_port, 16) == Ok(port);
    if listens { fields.nth(5) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_the_program_that_holds_it() {
        let first = listen("127.0.0.1:0".parse().unwrap(), "[broker] listen").unwrap();
        let address = first.local_addr().unwrap();
        let error = listen(address, "[broker] listen").unwrap_err().to_string();
        let us = format!("(pid {})", std::process::id());
        assert!(!cfg!(target_os = "linux") || error.contains(&us), "{error}");
        assert!(error.contains("[broker] listen = \"127.0.0.1:0\""), "{error}");
    }

    #[tokio::test]
    async fn a_public_address_is_refused() {
        let error = listen("0.0.0.0:0".parse().unwrap(), "[store] listen").unwrap_err();
        assert!(matches!(error, ListenError::Public { .. }), "{error}");
    }
}
