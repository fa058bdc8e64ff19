//! A ZooKeeper ensemble, by its four-letter words.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Report;
use crate::config::ZooKeeperAccess;

const SYSTEM: &str = "coordination";
/// How long a server may take for a word.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

pub(super) async fn check(access: &ZooKeeperAccess, report: &mut Report) -> anyhow::Result<()> {
    let servers: Vec<String> = access.servers().into_iter().map(str::to_owned).collect();
    if !report.tcp(SYSTEM, &servers).await? {
        return Ok(());
    }
    for server in &servers {
        let answer = word(server, "srvr").await;
        let line = |name: &str| {
            let lines = answer.as_deref().unwrap_or_default().lines();
            lines
                .filter_map(|line| line.strip_prefix(name))
                .next()
                .map(|text| text.trim().to_owned())
        };
        match (&answer, line("Zookeeper version:"), line("Mode:")) {
            (_, Some(version), Some(mode)) => {
                let version = version.split(',').next().unwrap_or_default();
                report.good((SYSTEM, "versions"), format!("{server}: {version}, {mode}"))?;
            }
            (Ok(said), ..) => report.doubtful(
                (SYSTEM, "versions"),
                format!("{server}: {}", said.lines().next().unwrap_or("no answer to srvr")),
                "its version shows with 4lw.commands.whitelist=srvr in zoo.cfg",
            )?,
            (Err(error), ..) => {
                report.bad((SYSTEM, "versions"), format!("{server}: {error}"), "see its log")?;
            }
        }
    }
    Ok(())
}

/// What a server answers to a four-letter word.
async fn word(server: &str, word: &str) -> anyhow::Result<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(word.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(ANSWER_WITHIN, exchange).await?
}
