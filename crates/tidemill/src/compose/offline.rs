//! `--offline`: APIs that the well-known projects poll, answered by the look-alike in this binary.
//! Only children of this node see it, and the screen says so.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use tidemill_runtime::{Tasks, World};
use tidemill_sample_apis::{SampleApi, serve_as};

/// The hosts whose answers the look-alike knows.
pub(crate) const STOOD_IN: [&str; 2] = ["randomuser.me", "api.randomuser.me"];
/// Folder of the module below, inside the data directory.
const FOLDER: &str = "stand-in";
/// An API on the internet is not faster; without it a loop without a pause takes the whole machine.
const PACE: &str = "latency=20ms";
/// The variable that the module reads: where the look-alike answers.
const VARIABLE: &str = "TIDEMILL_STAND_IN";
/// Runs in every child Python: no TLS towards the look-alike.
const MODULE: &str = include_str!("stand_in.py");

/// Starts the look-alike and returns its address, and the variables that lead children to it.
pub(crate) async fn stand_in(
    data_dir: &Path,
    world: &World,
    tasks: &Tasks,
) -> anyhow::Result<(std::net::SocketAddr, BTreeMap<String, String>)> {
    let any = "127.0.0.1:0".parse().expect("an address");
    let faults = PACE.parse().expect("a latency");
    let api = SampleApi::RandomUser { faults };
    let address = serve_as(&STOOD_IN, any, api, world.clone(), tasks)
        .await
        .context("cannot serve the users API's look-alike")?;
    let folder = std::path::absolute(data_dir.join(FOLDER))?;
    world.disk.create_dir_all(&folder)?;
    world.disk.replace(&folder.join("sitecustomize.py"), MODULE.as_bytes())?;
    let variables = BTreeMap::from([
        (VARIABLE.to_owned(), address.to_string()),
        ("PYTHONPATH".to_owned(), folder.display().to_string()),
    ]);
    Ok((address, variables))
}
