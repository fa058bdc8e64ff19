//! Tells the service manager how far the node is, as `Type=notify` services do.
//!
//! One datagram to the socket that `NOTIFY_SOCKET` names; without it nothing is said.
//! Protocol: <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Every box answers its own protocol.
pub(crate) const READY: &str = "READY=1";
/// Boxes finish their work.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Sends `state` to the service manager, if one waits for it.
pub(crate) fn tell(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, socket = %socket.display(), state, "the service manager was not told");
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    datagram.send_to_addr(state.as_bytes(), &address(socket)?)?;
    Ok(())
}

/// A path, or on Linux a name that begins with `@` and lies in no directory.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_reaches_a_socket_in_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), READY).unwrap();
        let mut got = [0; 32];
        let length = manager.recv(&mut got).unwrap();
        assert_eq!(&got[..length], READY.as_bytes());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_state_reaches_a_socket_without_a_file() {
        let name = format!("@tidemill-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&address(OsStr::new(&name)).unwrap()).unwrap();
        send(OsStr::new(&name), STOPPING).unwrap();
        let mut got = [0; 32];
        let length = manager.recv(&mut got).unwrap();
        assert_eq!(&got[..length], STOPPING.as_bytes());
    }
}
