//! PostgreSQL only: connections that break, and schedulers that take over from one another.

use std::time::Duration;

use super::*;
use crate::store::database::Sql;

const LEASE: Duration = Duration::from_secs(600);

async fn server(database: &Database) -> sqlx::postgres::PgConnection {
    sqlx::postgres::PgConnection::connect(database.url.as_deref().unwrap()).await.unwrap()
}

/// Ends all connections of a node, as a server does that restarts.
async fn cut(server: &mut sqlx::postgres::PgConnection, node: &str) -> i64 {
    let cut = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
         WHERE application_name = left($1, 63) AND pid <> pg_backend_pid()";
    let cut = Sql::new(cut).bind(format!("tidemill {node}"));
    cut.fetch_count(&mut Session::Postgres(server)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_written_once_however_often_the_connection_breaks() {
    let Some(database) = Database::postgres() else { return };
    let (mut server, node) = (server(&database).await, database.schema.clone());
    let mut bench = Bench::on(database).await;
    bench.step(trigger("r", None)).await;
    let (written, mut seen) = tokio::sync::watch::channel(0);
    let chaos = async {
        let mut cuts = 0;
        // One batch comes through between two cuts; where the next one is cut is left to chance.
        while seen.changed().await.is_ok() {
            for _ in 0..World::real().random.below(40) {
                tokio::task::yield_now().await;
            }
            cuts += cut(&mut server, &node).await;
        }
        cuts
    };
    let work = async {
        let mut row = bench.store.snapshot("d", "r", reparse).await.unwrap().unwrap().run;
        for n in 0..100 {
            let from = (row.state, row.epoch);
            row.epoch.0 += 1;
            row.note = Some(format!("note {n}").into());
            // Each change names the epoch of the one before: written twice, or lost, it would not
            // be taken.
            let change = Change::Run { from, row: row.clone() };
            bench.store.commit(&[&change]).await.unwrap();
            written.send_replace(n);
        }
        drop(written);
        row
    };
    let (row, cuts) = tokio::join!(work, chaos);
    let kept = bench.store.snapshot("d", "r", reparse).await.unwrap().unwrap().run;
    assert_eq!(kept, row);
    assert!(cuts > 10, "{cuts} connections were cut");
}

#[tokio::test]
async fn what_an_old_leader_writes_changes_nothing() {
    let Some(database) = Database::postgres() else { return };
    let mut old = database.open_as("old").await.unwrap();
    let mut new = database.open_as("new").await.unwrap();
    let (led, next) = (old.leaders.unwrap(), new.leaders.unwrap());
    let row = crate::core::DagRow { dag_id: "d".into(), paused: false, last: None };
    let change = Change::Dag(row.clone());
    let error = old.store.commit(&[&change]).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced), "nobody leads yet: {error}");
    let term = led.claim(LEASE).await.unwrap().unwrap();
    old.store.lead(term);
    old.store.commit(&[&change]).await.unwrap();
    assert_eq!(next.claim(LEASE).await.unwrap(), None, "the lease is taken");
    assert_eq!(next.look().await.unwrap().unwrap().node, "old");
    assert_eq!(led.renew(term, LEASE).await.unwrap(), Some(1), "one waits");
    led.release(term).await.unwrap();
    let later = next.claim(LEASE).await.unwrap().unwrap();
    assert!(later > term);
    new.store.lead(later);
    let paused = Change::Dag(crate::core::DagRow { paused: true, ..row });
    let error = old.store.commit(&[&paused]).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced), "{error}");
    assert_eq!(led.renew(term, LEASE).await.unwrap(), None);
    let restored = new.store.restore(reparse).await.unwrap();
    assert!(!restored.dags[0].paused);
    new.store.commit(&[&paused]).await.unwrap();
    // A process that starts again takes its own lease at once.
    assert!(next.claim(LEASE).await.unwrap().unwrap() > later);
}

#[tokio::test]
async fn numbers_of_a_lease_elsewhere_only_rise() {
    let Some(database) = Database::postgres() else { return };
    let (one, two) =
        (database.open_as("one").await.unwrap(), database.open_as("two").await.unwrap());
    let (one, two) = (one.leaders.unwrap(), two.leaders.unwrap());
    let first = one.claim_for("zookeeper", 7).await.unwrap().unwrap();
    let second = two.claim_for("zookeeper", 9).await.unwrap().unwrap();
    assert!(second > first);
    assert_eq!(one.claim_for("zookeeper", 8).await.unwrap(), None, "it was lost on the way");
    // A number of another place says nothing about this one.
    assert!(one.claim_for("etcd", 1).await.unwrap().unwrap() > second);
}

#[tokio::test]
async fn who_waits_in_vain_stops_when_somebody_else_leads() {
    let Some(database) = Database::postgres() else { return };
    let mut opened = database.open().await;
    let Backend::Postgres(writer) = &mut opened.store.writer else { panic!("it is PostgreSQL") };
    let lost = StoreError::Database(sqlx::Error::PoolTimedOut);
    let (mut attempt, availability) = (0, opened.availability.clone());
    writer.recover(lost, &mut attempt).await.unwrap();
    assert_eq!(attempt, 1);
    assert!(availability.reason().unwrap().contains("timed out"));
    opened.deposed.send_replace(true);
    let lost = StoreError::Database(sqlx::Error::PoolTimedOut);
    let mut attempt = 10;
    let error = writer.recover(lost, &mut attempt).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced), "{error}");
    assert_eq!(availability.reason(), None, "others can ask the database themselves");
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let Some(database) = Database::postgres() else { return };
    let Opened { mut store, .. } = database.open().await;
    let columns = "SELECT table_name::text AS t, column_name::text AS c \
         FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2";
    let theirs = Sql::new(columns).fetch(&mut store.session().await.unwrap()).await.unwrap();
    let named = |row: &database::Row| -> (String, String) {
        (row.get("t").unwrap(), row.get("c").unwrap())
    };
    let only_there = ["leader", "node", "schema_version"];
    let theirs: Vec<_> =
        theirs.iter().map(named).filter(|(table, _)| !only_there.contains(&&**table)).collect();
    let Opened { mut store, .. } = Database::new(None).open().await;
    let columns = "SELECT m.name AS t, c.name AS c FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' ORDER BY 1, 2";
    let ours = Sql::new(columns).fetch(&mut store.session().await.unwrap()).await.unwrap();
    let ours: Vec<_> = ours.iter().map(named).collect();
    assert_eq!(ours, theirs);
}
