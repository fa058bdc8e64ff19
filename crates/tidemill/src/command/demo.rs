//! `tidemill demo`: the users project, written, started and fed, with the line moving on screen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tidemill_runtime::{Span, Tasks};
use tidemill_sample_apis::{SampleApi, serve};

use super::dag::Api;
use super::up::{LOOK_EVERY, Stop, config_in, drain, parts};
use super::{Context, cql};
use crate::arguments::Demo;
use crate::config::Config;
use crate::exit::CheckFailed;
use crate::node::Node;
use crate::output::{self, count, duration_ms};
use crate::pipelines::{Hop, Watcher};
use crate::screen::Screen;

const DAG: &str = "user_automation";
const TOPIC: &str = "users_created";
const TABLE: &str = "spark_streams.created_users";
/// The API that `examples/users` names for live use.
const LIVE_URL: &str = "https://randomuser.me/api/";
/// One run of the DAG in a demo without an end: then the next one starts.
const RUN_LASTS: Span = Span::secs(60);
/// After the last record was produced, the table may be this much behind.
const CATCH_UP: Duration = Duration::from_secs(10);
/// How often the end of the catching up is looked for.
const SETTLE_EVERY: Duration = Duration::from_millis(50);

pub(crate) async fn run(context: Context, demo: Demo) -> anyhow::Result<()> {
    let dir = context.dir.join(&demo.dir);
    super::init::write_users(&dir, "users")?;
    let config = config_in(&context, &dir)?;
    let mut stop = Stop::new()?;
    let tasks = Tasks::new();
    let url = match demo.live {
        true => LIVE_URL.to_owned(),
        false => look_alike(&context, &tasks).await?,
    };
    let node = Node::start(config.clone(), context.world.clone()).await?;
    let mut screen = Screen::new(context.json);
    screen.ready(&config, &node, parts(&node).await)?;
    if !context.json {
        welcome(&node, &dir, &url, demo.live)?;
    }
    let outcome = tokio::select! {
        () = stop.asked() => Ok(()),
        (name, failure) = node.failed() => Err(anyhow::anyhow!("{name} cannot go on: {failure}")),
        done = play(&context, &demo, (&node, &config), &url, &mut screen) => done,
    };
    drain(node, &mut stop).await;
    tasks.stop(Duration::from_secs(1)).await;
    outcome
}

/// Serves people on a free port of this machine: their address.
async fn look_alike(context: &Context, tasks: &Tasks) -> anyhow::Result<String> {
    let any = "127.0.0.1:0".parse().expect("an address");
    let address = serve(any, SampleApi::random_user(), context.world.clone(), tasks)
        .await
        .context("cannot serve the users API's look-alike")?;
    Ok(format!("http://{address}/api/"))
}

fn welcome(node: &Node, dir: &Path, url: &str, live: bool) -> anyhow::Result<()> {
    let kind = if live { "live" } else { "look-alike, offline" };
    output::line(&format!("  users api {url} ({kind})   project {}", dir.display()))?;
    let console = node.endpoints.console.as_deref().unwrap_or_default();
    let at = if dir == Path::new(".") { String::new() } else { format!(" -C {}", dir.display()) };
    output::line(&format!(
        "open {console} · try: tidemill{at} topic tail {TOPIC} · tidemill{at} cql -c \"select * \
         from {TABLE} limit 3\""
    ))
}

/// Feeds the line and shows it, until the demo's time is over or for ever.
async fn play(
    context: &Context,
    demo: &Demo,
    (node, config): (&Node, &Config),
    url: &str,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let scheduler = node.endpoints.scheduler.as_deref().context("the demo needs the scheduler")?;
    let kafka = context.kafka_of(config, &node.endpoints).context("the demo needs the broker")?;
    let api = Api::new(format!("{scheduler}/api/v2"));
    let mut watcher = Watcher::new(node.endpoints.clone(), Some(kafka), context.world.clone());
    let lasts = demo.lasts.unwrap_or(RUN_LASTS);
    let conf = json!({
        "url": url, "duration": lasts.to_string(), "rate": format!("{}/s", demo.rate),
    });
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        let run_id = api.trigger(DAG, &conf).await?;
        let state = {
            let ended = api.ended(DAG, &run_id);
            tokio::pin!(ended);
            loop {
                tokio::select! {
                    state = &mut ended => break state?,
                    _ = every.tick() => screen.flow(&watcher.look().await, Some("users api"))?,
                }
            }
        };
        if state == "failed" {
            let reason = api.reason(DAG, &run_id).await?;
            anyhow::bail!(CheckFailed(format!("run {run_id} failed: {reason}")));
        }
        if demo.lasts.is_some() {
            let hop = settled(&mut watcher).await?;
            screen.flow(std::slice::from_ref(&hop), Some("users api"))?;
            screen.settle();
            return result(context, (node, config), &hop).await;
        }
    }
}

/// Waits until what was produced is in the table.
async fn settled(watcher: &mut Watcher) -> anyhow::Result<Hop> {
    let wait = async {
        loop {
            let hops = watcher.look().await;
            let hop = hops.into_iter().find(|hop| hop.topic == TOPIC && hop.sink == TABLE);
            if let Some(hop) = hop
                && hop.lag == 0
            {
                return hop;
            }
            tokio::time::sleep(SETTLE_EVERY).await;
        }
    };
    tokio::time::timeout(CATCH_UP, wait)
        .await
        .with_context(|| format!("{TABLE} did not catch up within {} s", CATCH_UP.as_secs()))
}

/// The one-page result: what was counted at each hop, by asking the boxes themselves.
async fn result(
    context: &Context,
    (node, config): (&Node, &Config),
    hop: &Hop,
) -> anyhow::Result<()> {
    let store = super::cassandra_of(config, &node.endpoints)?;
    let (rows, distinct) = cql::count(&cql::connect(&store).await?, TABLE, "id").await?;
    let memory_mb = resident_mb().unwrap_or(0.0);
    let latency = hop.latency_ms.map_or(Value::Null, |latency| json!(latency));
    let result = json!({
        "hops": [
            { "name": TOPIC, "records": hop.topic_records },
            { "name": TABLE, "rows": rows, "distinct": distinct },
        ],
        "rejected": hop.rejected,
        "latency_ms": latency,
        "memory_mb": (memory_mb * 10.0).round() / 10.0,
        "ready_ms": (node.took.as_secs_f64() * 1e4).round() / 10.0,
    });
    if context.json {
        return output::json(&json!({ "result": result }));
    }
    output::line("")?;
    output::line(&format!("  {TOPIC:<32} {:>9} records", count(hop.topic_records)))?;
    output::line(&format!(
        "  {TABLE:<32} {:>9} rows, {} distinct ids, {} rejected",
        count(rows),
        count(distinct),
        count(hop.rejected)
    ))?;
    if let Some(latency) = hop.latency_ms {
        output::line(&format!(
            "  {:<32} {:>12} p50, {} p99",
            "produced → readable",
            duration_ms(latency.p50),
            duration_ms(latency.p99)
        ))?;
    }
    output::line(&format!("  {:<32} {memory_mb:>9.0} MB resident", "memory"))
}

/// Resident memory of this process in MB (10⁶ bytes); none where the system does not tell.
fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string(PathBuf::from("/proc/self/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
