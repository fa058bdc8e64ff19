//! A Cassandra cluster.

use scylla::client::session::Session;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use tidemill_access::CassandraAccess;

use super::Report;
use crate::external::{datacenters, session};

const SYSTEM: &str = "store";

pub(super) async fn check(access: &CassandraAccess, report: &mut Report) -> anyhow::Result<()> {
    if !report.tcp(SYSTEM, &access.contact_points).await? {
        return Ok(());
    }
    let session = match session(access).await {
        Ok(session) => session,
        Err(error) => {
            let mend = match &access.credentials {
                None => "it may want a user: set username and password; or TLS: ssl_ca_location",
                Some(_) => "check username and password; an encrypted port wants ssl_ca_location",
            };
            return report.bad((SYSTEM, "authentication"), format!("{error:#}"), mend);
        }
    };
    let user = access.credentials.as_ref().map(|one| one.username.as_str());
    let tls = if access.tls.is_some() { "its certificate is good" } else { "not encrypted" };
    report.good((SYSTEM, "tls"), tls)?;
    report.good((SYSTEM, "authentication"), user.unwrap_or("none asked for"))?;
    // A node of none of the datacentres could be asked nothing.
    if !datacenter(access, &session, report)? {
        return Ok(());
    }
    versions(&session, report).await?;
    permissions(&session, report).await
}

async fn versions(session: &Session, report: &mut Report) -> anyhow::Result<()> {
    let query = "SELECT release_version, cql_version, cluster_name FROM system.local";
    let rows = session.query_unpaged(query, ()).await?.into_rows_result()?;
    let (release, cql, cluster) = rows.first_row::<(String, String, String)>()?;
    report.good((SYSTEM, "versions"), format!("{cluster}: Cassandra {release}, CQL {cql}"))
}

/// Whether the local datacentre, if one is named, has nodes.
fn datacenter(
    access: &CassandraAccess,
    session: &Session,
    report: &mut Report,
) -> anyhow::Result<bool> {
    let known = datacenters(session);
    let nodes = session.get_cluster_state().get_nodes_info().len();
    let shown = format!("{nodes} nodes in {}", known.join(", "));
    match &access.local_datacenter {
        Some(local) if !known.contains(local) => {
            let mend = format!("{local:?} is none of them: set local_datacenter to one that is");
            report.bad((SYSTEM, "datacenter"), shown, &mend)?;
            Ok(false)
        }
        _ => {
            report.good((SYSTEM, "datacenter"), shown)?;
            Ok(true)
        }
    }
}

/// A keyspace that is there already is asked for: whether that is allowed is judged before, so
/// nothing is made.
async fn permissions(session: &Session, report: &mut Report) -> anyhow::Result<()> {
    let statement = "CREATE KEYSPACE IF NOT EXISTS system_schema WITH replication = \
                     {'class': 'SimpleStrategy', 'replication_factor': 1}";
    let refused = match session.query_unpaged(statement, ()).await {
        Ok(_) => None,
        Err(ExecutionError::LastAttemptError(RequestAttemptError::DbError(kind, message))) => {
            match kind {
                // Allowed, and then refused for what it would have done.
                DbError::Invalid | DbError::AlreadyExists { .. } => None,
                // A system keyspace is protected from all; who may make others is not told.
                DbError::Unauthorized if message.contains("system_schema") => None,
                _ => Some(message),
            }
        }
        Err(error) => Some(error.to_string()),
    };
    match refused {
        None => report.good((SYSTEM, "may"), "create keyspaces (asked for one that is there)"),
        Some(message) => report.bad(
            (SYSTEM, "may"),
            message,
            "GRANT CREATE ON ALL KEYSPACES TO it, or make keyspace and table yourself",
        ),
    }
}
