//! What the terminal shows while a node runs: its parts, then the line moving. Redrawn in place on
//! a terminal, plain lines elsewhere, JSON lines under `--json`.

use std::io::{self, IsTerminal, Write};

use serde_json::json;
use tidemill_broker::Durability;

use crate::compose::Said;
use crate::config::Config;
use crate::node::{Node, Started};
use crate::output::{self, count, duration_ms};
use crate::pipelines::Hop;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Seconds between two plain lines where nothing can be redrawn.
const PLAIN_EVERY_S: u64 = 5;

/// Where the progress of a node is shown.
pub(crate) struct Screen {
    json: bool,
    terminal: bool,
    /// Lines of the last flow drawn, to be drawn over.
    drawn: usize,
    ticks: u64,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Screen {
        let terminal = !json
            && io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none()
            && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        Screen { json, terminal, drawn: 0, ticks: 0 }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("{code}{text}{PLAIN}") } else { text.to_owned() }
    }

    /// The head: what runs, where, how long each part took.
    pub(crate) fn ready(&self, config: &Config, node: &Node, parts: Parts) -> anyhow::Result<()> {
        if self.json {
            return output::json(&node.ready());
        }
        let data = config.data_dir();
        let durability = match (config.broker.external(), config.broker.settings().durability) {
            (Some(_), _) => "that of the external broker",
            (None, Durability::Fsync) => "fsync",
            (None, Durability::PageCache) => "page-cache (a power cut may take the last second)",
        };
        output::line(&format!(
            "{}   project {}{}   data {}   durability {durability}",
            self.paint(BOLD, concat!("tidemill ", env!("CARGO_PKG_VERSION"))),
            config.project.name,
            config.profile.as_ref().map(|name| format!("   profile {name}")).unwrap_or_default(),
            data.display(),
        ))?;
        let cells: Vec<String> = shown(&node.started)
            .map(|started| {
                let extra = match started.name {
                    _ if started.is_external => "external".to_owned(),
                    "scheduler" => plural(parts.dags, "DAG"),
                    "engine" => plural(parts.pipelines, "pipeline"),
                    _ => String::new(),
                };
                let mark = self.paint(GREEN, "✓");
                let took = duration_ms(started.took.as_secs_f64() * 1000.0);
                format!(
                    "{mark} {:<12} {:<5} {:<15} {took:>7}  {extra:<12}",
                    started.name, started.speaks, started.address
                )
            })
            .collect();
        for pair in cells.chunks(2) {
            output::line(format!("  {}", pair.join(" ")).trim_end())?;
        }
        output::line(&format!("ready in {:.2} s", node.took.as_secs_f64()))?;
        for problem in &parts.problems {
            output::line(&format!("  {} {problem}", self.paint(RED, "✗")))?;
        }
        Ok(())
    }

    /// The flow as it is now. Called once a second.
    pub(crate) fn flow(&mut self, hops: &[Hop], source: Option<&str>) -> anyhow::Result<()> {
        self.ticks += 1;
        if self.json {
            return output::json(&json!({ "flow": hops }));
        }
        if !self.terminal {
            if !(self.ticks - 1).is_multiple_of(PLAIN_EVERY_S) {
                return Ok(());
            }
            for hop in hops {
                output::line(&format!("  {}", self.hop(hop, source)))?;
            }
            return Ok(());
        }
        let mut out = String::new();
        if self.drawn > 0 {
            out.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for hop in hops {
            out.push_str(&format!("\x1b[2K  {}\n", self.hop(hop, source)));
        }
        // A pipeline that went leaves an empty line rather than a stale one.
        for _ in hops.len()..self.drawn {
            out.push_str("\x1b[2K\n");
        }
        self.drawn = self.drawn.max(hops.len());
        let mut stdout = io::stdout().lock();
        stdout.write_all(out.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// A line that a script wrote, below what was drawn.
    pub(crate) fn said(&mut self, said: &Said) -> anyhow::Result<()> {
        let Said { script, line } = said;
        if self.json {
            return output::json(&json!({ "script": &**script, "line": line }));
        }
        self.settle();
        output::line(&format!("  {} {line}", self.paint(DIM, &format!("{script} |"))))
    }

    /// Begins anew below what was drawn.
    pub(crate) fn settle(&mut self) {
        self.drawn = 0;
    }

    fn hop(&self, hop: &Hop, source: Option<&str>) -> String {
        let from = match (source, &hop.producer) {
            (Some(source), Some(_)) => format!("{source} {:>2.0}/s → ", hop.rate),
            (None, Some(producer)) => format!("{producer} {:>2.0}/s → ", hop.rate),
            _ => String::new(),
        };
        let table = hop.sink.rsplit('.').next().unwrap_or(&hop.sink);
        let latency = match hop.latency_ms {
            Some(latency) => format!("   p99 {}", duration_ms(latency.p99)),
            None => String::new(),
        };
        let rejected = format!("rejected {}", count(hop.rejected));
        let rejected = if hop.rejected > 0 { self.paint(RED, &rejected) } else { rejected };
        let stopped = match (&hop.problem, hop.state.as_str()) {
            (Some(problem), state) if state != "RUNNING" => {
                self.paint(RED, &format!("   {state}: {problem}"))
            }
            (Some(problem), _) => self.paint(DIM, &format!("   {problem}")),
            _ => String::new(),
        };
        format!(
            "{from}{} {} → {table} {}    {rejected}   lag {}{latency}{stopped}",
            hop.topic,
            self.paint(BOLD, &count(hop.topic_records)),
            self.paint(BOLD, &count(hop.rows)),
            count(hop.lag),
        )
    }
}

/// How many DAGs and pipelines there are, and what could not be loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) dags: u64,
    pub(crate) pipelines: u64,
    pub(crate) problems: Vec<String>,
}

/// The boxes as they are shown: what stores beside what serves.
fn shown(started: &[Started]) -> impl Iterator<Item = &Started> {
    const ORDER: [&str; 7] =
        ["broker", "registry", "store", "scheduler", "engine", "console", "coordination"];
    ORDER.iter().filter_map(|name| started.iter().find(|started| started.name == *name))
}

fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
