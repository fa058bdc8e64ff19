//! How a cluster is reached: one way for pipelines, pages and commands.

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::statement;
use tidemill_access::{CassandraAccess, Consistency};

/// A session to be built: where, who asks, which nodes first, how many have to answer.
pub fn session_builder(access: &CassandraAccess) -> SessionBuilder {
    let mut builder = SessionBuilder::new().known_nodes(&access.contact_points);
    if let Some(credentials) = &access.credentials {
        builder = builder.user(&credentials.username, credentials.password.reveal());
    }
    let mut profile = ExecutionProfile::builder();
    if let Some(consistency) = access.consistency {
        profile = profile.consistency(driver_consistency(consistency));
    }
    if let Some(datacenter) = &access.local_datacenter {
        let local = DefaultPolicy::builder().prefer_datacenter(datacenter.clone());
        profile = profile.load_balancing_policy(local.build());
    }
    builder.default_execution_profile_handle(profile.build().into_handle())
}

fn driver_consistency(consistency: Consistency) -> statement::Consistency {
    match consistency {
        Consistency::One => statement::Consistency::One,
        Consistency::Two => statement::Consistency::Two,
        Consistency::Three => statement::Consistency::Three,
        Consistency::Quorum => statement::Consistency::Quorum,
        Consistency::All => statement::Consistency::All,
        Consistency::LocalQuorum => statement::Consistency::LocalQuorum,
        Consistency::EachQuorum => statement::Consistency::EachQuorum,
        Consistency::LocalOne => statement::Consistency::LocalOne,
    }
}
