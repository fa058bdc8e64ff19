//! A published port that leads to a box which listens elsewhere: the second broker's, or the inner
//! listener's.

use std::net::SocketAddr;
use std::sync::Arc;

use tidemill_runtime::{ListenError, Tasks, listen};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections through one relay; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;
/// The key that sets the address, for messages about it.
const SETTING: &str = "ports of the compose file";

/// Leads `from` to `to` until `tasks` are stopped.
pub(super) fn start(from: SocketAddr, to: SocketAddr, tasks: &Tasks) -> Result<(), ListenError> {
    let listener = listen(from, SETTING)?;
    let (inner, shutdown) = (tasks.clone(), tasks.shutdown());
    tasks.spawn("relay", async move {
        tokio::select! {
            () = accept(listener, to, inner) => {}
            () = shutdown.requested() => {}
        }
    });
    Ok(())
}

async fn accept(listener: TcpListener, to: SocketAddr, tasks: Tasks) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
        let Ok((mut client, peer)) = listener.accept().await else { continue };
        let shutdown = tasks.shutdown();
        tasks.spawn("relayed connection", async move {
            let _slot = slot;
            let joined = async {
                let mut server = TcpStream::connect(to).await?;
                client.set_nodelay(true)?;
                server.set_nodelay(true)?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            };
            tokio::select! {
                ended = joined => if let Err(error) = ended {
                    tracing::debug!(%peer, %to, %error, "a relayed connection ended");
                },
                () = shutdown.requested() => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_comes_at_one_port_reaches_the_other() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let target = TcpListener::bind(any).await.unwrap();
        // A free port: found by taking it and giving it back.
        let probe = TcpListener::bind(any).await.unwrap();
        let from = probe.local_addr().unwrap();
        drop(probe);
        let tasks = Tasks::new();
        start(from, target.local_addr().unwrap(), &tasks).unwrap();
        let mut client = TcpStream::connect(from).await.unwrap();
        let (mut server, _) = target.accept().await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        server.read_exact(&mut got).await.unwrap();
        server.write_all(b"pong").await.unwrap();
        client.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"pong");
        tasks.stop(Duration::from_secs(1)).await;
    }
}
