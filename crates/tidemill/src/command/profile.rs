//! `tidemill profile`: which real systems are in place of ours, and whether they let us in.
//!
//! Each system is asked in the order in which things fail: is somebody there, is it who it should
//! be, does it let us in, is it new enough, does it allow what a node does. Nothing stays behind.

mod broker;
mod coordination;
mod registry;
mod store;

use std::time::Duration;

use serde_json::json;
use tidemill_runtime::World;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Context;
use crate::arguments::Profile;
use crate::config::{BASE_PROFILE, Config};
use crate::exit::CheckFailed;
use crate::output::{self, duration_ms};

/// How long a server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

pub(crate) async fn run(context: Context, profile: Profile) -> anyhow::Result<()> {
    match profile {
        Profile::Ls => list(&context),
        Profile::Check { name } => check(&context, name).await,
    }
}

fn list(context: &Context) -> anyhow::Result<()> {
    let base = context.config()?;
    let chosen = base.profile.as_deref().unwrap_or(BASE_PROFILE);
    let mut rows = Vec::new();
    for name in &base.profiles {
        let config = context.config_with(Some(name.clone()))?;
        let external = externals(&config);
        let is_chosen = name == chosen;
        if context.json {
            output::json(&json!({ "profile": name, "external": external, "chosen": is_chosen }))?;
        }
        let mark = if is_chosen { "*" } else { "" };
        let external = if external.is_empty() { "-".to_owned() } else { external.join(", ") };
        rows.push(vec![mark.to_owned(), name.clone(), external]);
    }
    if context.json {
        return Ok(());
    }
    output::table(&["", "PROFILE", "EXTERNAL"], &rows)
}

/// The sections whose box is a real system.
fn externals(config: &Config) -> Vec<&'static str> {
    let all = [
        ("broker", config.broker.external().is_some()),
        ("registry", config.registry.external().is_some()),
        ("store", config.store.external().is_some()),
        ("coordination", config.coordination.external().is_some()),
    ];
    all.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

async fn check(context: &Context, name: Option<String>) -> anyhow::Result<()> {
    let config = match name {
        Some(name) => context.config_with(Some(name))?,
        None => context.config()?,
    };
    let mut report = Report { json: context.json, bad: 0, all: 0, world: context.world.clone() };
    if let Some(kafka) = config.broker.external() {
        broker::check(kafka, &mut report).await?;
    }
    if let Some(access) = config.registry.external() {
        registry::check(access, &mut report).await?;
    }
    if let Some(access) = config.store.external() {
        store::check(access, &mut report).await?;
    }
    if let Some(access) = config.coordination.external() {
        coordination::check(access, &mut report).await?;
    }
    if report.all == 0 && !context.json {
        let name = config.profile.as_deref().unwrap_or(BASE_PROFILE);
        let known = config.profiles.join(", ");
        output::line(&format!("profile {name}: all systems are ours; profiles are {known}"))?;
    }
    if report.bad > 0 {
        let Report { bad, all, .. } = report;
        anyhow::bail!(CheckFailed(format!("{bad} of {all} checks failed")));
    }
    Ok(())
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// It works, not fully.
    Doubtful,
    Bad,
}

/// What is printed, check by check, and counted.
struct Report {
    json: bool,
    bad: usize,
    all: usize,
    world: World,
}

impl Report {
    fn good(&mut self, at: (&str, &str), found: impl AsRef<str>) -> anyhow::Result<()> {
        self.print(at, Verdict::Good, found.as_ref(), None)
    }

    fn doubtful(
        &mut self,
        at: (&str, &str),
        found: impl AsRef<str>,
        mend: &str,
    ) -> anyhow::Result<()> {
        self.print(at, Verdict::Doubtful, found.as_ref(), Some(mend))
    }

    fn bad(&mut self, at: (&str, &str), found: impl AsRef<str>, mend: &str) -> anyhow::Result<()> {
        self.print(at, Verdict::Bad, found.as_ref(), Some(mend))
    }

    fn print(
        &mut self,
        (system, check): (&str, &str),
        verdict: Verdict,
        found: &str,
        mend: Option<&str>,
    ) -> anyhow::Result<()> {
        self.all += 1;
        self.bad += usize::from(verdict == Verdict::Bad);
        let (mark, word) = match verdict {
            Verdict::Good => ("✓", "good"),
            Verdict::Doubtful => ("!", "doubtful"),
            Verdict::Bad => ("✗", "bad"),
        };
        if self.json {
            return output::json(&json!({
                "system": system, "check": check, "verdict": word, "found": found, "mend": mend,
            }));
        }
        output::line(&format!("{mark} {system:<13}{check:<15}{found}"))?;
        match mend {
            Some(mend) => output::line(&format!("{:30}{mend}", "")),
            None => Ok(()),
        }
    }

    /// Whether at least one of the addresses accepts connections; each that does not is named.
    async fn tcp(&mut self, system: &str, addresses: &[String]) -> anyhow::Result<bool> {
        let (mut reached, mut silent) = (Vec::new(), Vec::new());
        for address in addresses {
            let begun = self.world.clock.monotonic();
            match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
                Ok(Ok(_)) => {
                    let took = self.world.clock.monotonic() - begun;
                    let took = duration_ms(took.as_secs_f64() * 1000.0);
                    reached.push(format!("{address} in {took}"));
                }
                Ok(Err(error)) => silent.push(format!("{address}: {error}")),
                Err(_) => {
                    silent.push(format!("{address}: silent for {} s", CONNECT_WITHIN.as_secs()));
                }
            }
        }
        let mend = "check the address, the firewall, and that it runs";
        match (reached.is_empty(), silent.is_empty()) {
            (_, true) => self.good((system, "tcp"), reached.join(", "))?,
            (false, false) => self.doubtful((system, "tcp"), silent.join(", "), mend)?,
            (true, false) => self.bad((system, "tcp"), silent.join(", "), mend)?,
        }
        Ok(!reached.is_empty())
    }
}
