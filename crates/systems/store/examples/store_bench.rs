//! Durable inserts per second through the `scylla` crate:
//! `store_bench [ADDRESS] [ROWS] [IN_FLIGHT]`. Without an address it starts a store of its own in a
//! temporary directory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use tidemill_runtime::{System, World};
use tidemill_store::{Config, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().filter(|it| it != "-");
    let rows: usize = arguments.next().map_or(Ok(50_000), |it| it.parse())?;
    let in_flight: usize = arguments.next().map_or(Ok(64), |it| it.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(address, rows, in_flight))
}

async fn run(
    address: Option<String>,
    rows: usize,
    in_flight: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let world = World::real();
    let dir = tempfile::tempdir()?;
    let mut own = None;
    let address = match address {
        Some(address) => address,
        None => {
            let listen = SocketAddr::from(([127, 0, 0, 1], 0));
            let config = Config { listen, ..Config::default() };
            let before = world.clock.monotonic();
            let store = Store::start(config, dir.path().to_owned(), world.clone()).await?;
            println!("started in {:?}", world.clock.monotonic() - before);
            let address = store.address().to_string();
            own = Some(store);
            address
        }
    };
    let session = Arc::new(SessionBuilder::new().known_node(address).build().await?);
    for cql in [
        "CREATE KEYSPACE IF NOT EXISTS bench WITH replication = {'class': 'SimpleStrategy', \
         'replication_factor': 1}",
        "CREATE TABLE IF NOT EXISTS bench.created_users (id uuid PRIMARY KEY, first_name text, \
         last_name text, gender text, address text, post_code text, email text, username text, \
         registered_date text, phone text, picture text)",
    ] {
        session.query_unpaged(cql, ()).await?;
    }
    let mut took = measure(&session, &world, rows, in_flight).await?;
    took.sort_unstable();
    let total: Duration = took.iter().sum();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    let elapsed = total / u32::try_from(in_flight)?;
    println!(
        "{rows} inserts, {in_flight} in flight: {:.0}/s, p50 {:?}, p99 {:?}, max {:?}",
        rows as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    if let Some(store) = own {
        store.drain(Duration::from_secs(10)).await;
    }
    Ok(())
}

/// How long each insert took, with `in_flight` of them waiting at any moment.
async fn measure(
    session: &Arc<Session>,
    world: &World,
    rows: usize,
    in_flight: usize,
) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let insert = session
        .prepare(
            "INSERT INTO bench.created_users (id, first_name, last_name, gender, address, \
             post_code, email, username, registered_date, phone, picture) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .await?;
    let left = Arc::new(AtomicUsize::new(rows));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let (session, insert, left, world) =
            (session.clone(), insert.clone(), left.clone(), world.clone());
        workers.spawn(async move {
            let mut took = Vec::new();
            let next = |n: usize| n.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() {
                let id = world.random.uuid();
                let values = (
                    id,
                    "Margaux",
                    "Lefebvre",
                    "female",
                    "7403 Rue de la Charité, Orléans, Centre, France",
                    "45000",
                    "margaux.lefebvre@example.com",
                    "silverduck211",
                    "2007-07-14T09:53:53.471Z",
                    "04-32-21-78-56",
                    "https://randomuser.me/api/portraits/med/women/42.jpg",
                );
                let before = world.clock.monotonic();
                session.execute_unpaged(&insert, values).await?;
                took.push(world.clock.monotonic() - before);
            }
            Ok::<_, scylla::errors::ExecutionError>(took)
        });
    }
    let mut all = Vec::with_capacity(rows);
    while let Some(took) = workers.join_next().await {
        all.extend(took??);
    }
    Ok(all)
}
