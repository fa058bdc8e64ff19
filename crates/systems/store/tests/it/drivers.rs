//! The `scylla` crate, a driver nobody here wrote, over protocol v4.

use futures_lite_join::join_all;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::response::PagingState;
use scylla::statement::batch::Batch;

use crate::server::Server;

/// Waits for all of them, each on its own task.
mod futures_lite_join {
    pub(super) async fn join_all<F>(futures: Vec<F>) -> Vec<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut set = tokio::task::JoinSet::new();
        futures.into_iter().for_each(|future| {
            set.spawn(future);
        });
        set.join_all().await
    }
}

async fn connect(server: &Server) -> Session {
    let address = server.address().to_string();
    SessionBuilder::new().known_node(address).build().await.unwrap()
}

#[test]
fn the_tutorials_statements_work_through_the_scylla_crate() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    server.runtime().block_on(async {
        let session = connect(&server).await;
        for cql in [
            "CREATE KEYSPACE IF NOT EXISTS spark_streams WITH replication = {'class': \
             'SimpleStrategy', 'replication_factor': '1'};",
            "CREATE TABLE IF NOT EXISTS spark_streams.created_users (id UUID PRIMARY KEY, \
             first_name TEXT, last_name TEXT, gender TEXT, address TEXT, post_code TEXT, \
             email TEXT, username TEXT, registered_date TEXT, phone TEXT, picture TEXT);",
        ] {
            session.query_unpaged(cql, ()).await.unwrap();
        }
        let insert = session
            .prepare(
                "INSERT INTO spark_streams.created_users (id, first_name, last_name) \
                 VALUES (?, ?, ?)",
            )
            .await
            .unwrap();
        let session = std::sync::Arc::new(session);
        let writes = (0..500_u128).map(|n| {
            let (session, insert) = (session.clone(), insert.clone());
            async move {
                let id = uuid::Uuid::from_u128(n);
                let values = (id, format!("first {n}"), "last");
                session.execute_unpaged(&insert, values).await.map(|_| ())
            }
        });
        for written in join_all(writes.collect()).await {
            written.unwrap();
        }
        let mut select = session
            .prepare("SELECT id, first_name FROM spark_streams.created_users")
            .await
            .unwrap();
        select.set_page_size(64);
        let (mut seen, mut state) = (std::collections::HashSet::new(), PagingState::start());
        loop {
            let (page, next) = session.execute_single_page(&select, (), state).await.unwrap();
            let page = page.into_rows_result().unwrap();
            for row in page.rows::<(uuid::Uuid, String)>().unwrap() {
                let (id, name) = row.unwrap();
                assert_eq!(name, format!("first {}", id.as_u128()));
                assert!(seen.insert(id));
            }
            match next.into_paging_control_flow() {
                std::ops::ControlFlow::Break(()) => break,
                std::ops::ControlFlow::Continue(next) => state = next,
            }
        }
        assert_eq!(seen.len(), 500);
    });
    server.stop();
}

#[test]
fn batches_conditions_and_metadata_work_through_the_scylla_crate() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    server.runtime().block_on(async {
        let session = connect(&server).await;
        session
            .query_unpaged(
                "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', \
                 'replication_factor': 1}",
                (),
            )
            .await
            .unwrap();
        session.use_keyspace("ks", false).await.unwrap();
        session
            .query_unpaged("CREATE TABLE t (p int, c int, v text, PRIMARY KEY (p, c))", ())
            .await
            .unwrap();
        let mut batch = Batch::default();
        batch.append_statement("INSERT INTO t (p, c, v) VALUES (?, ?, ?)");
        batch.append_statement("INSERT INTO t (p, c, v) VALUES (1, 2, 'b')");
        session.batch(&batch, ((1, 1, "a"), ())).await.unwrap();
        let rows = session.query_unpaged("SELECT c, v FROM t WHERE p = ?", (1,)).await.unwrap();
        let rows = rows.into_rows_result().unwrap();
        let rows: Vec<(i32, String)> = rows.rows().unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, [(1, "a".to_owned()), (2, "b".to_owned())]);
        let cas = session
            .query_unpaged("INSERT INTO t (p, c) VALUES (1, 1) IF NOT EXISTS", ())
            .await
            .unwrap();
        let cas = cas.into_rows_result().unwrap();
        let row: (bool, i32, i32, Option<String>) = cas.single_row().unwrap();
        assert_eq!(row, (false, 1, 1, Some("a".to_owned())));
        session.refresh_metadata().await.unwrap();
        let state = session.get_cluster_state();
        let table = &state.get_keyspace("ks").unwrap().tables["t"];
        assert_eq!(table.partition_key, ["p"]);
        assert_eq!(table.clustering_key, ["c"]);
        assert_eq!(table.columns.len(), 3);
    });
    server.stop();
}
