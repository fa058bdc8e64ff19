//! Four-letter words: a connection that begins with one gets text and is closed.
//!
//! Spec: the ZooKeeper Administrator's Guide, "The Four Letter Words".

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::core::Core;
use crate::machine::{Connection, Machine};
use crate::watches::Watches;

/// What ZooKeeper's clients take the protocol's features from.
const VERSION: &str = concat!("3.9.5-tidemill-", env!("CARGO_PKG_VERSION"));

const KNOWN: [&str; 16] = [
    "ruok", "srvr", "stat", "mntr", "conf", "cons", "dump", "wchs", "wchc", "wchp", "envi", "isro",
    "dirs", "crst", "srst", "stmk",
];

/// Whether these four letters are a word.
pub(crate) fn is_known(letters: &str) -> bool {
    KNOWN.contains(&letters)
}

/// The answer to a word.
pub(crate) fn answer(core: &Core, word: &str, peer: SocketAddr) -> String {
    if !core.config.answers(word) || word == "stmk" {
        tracing::debug!(word, %peer, "four-letter word refused");
        return format!("{word} is not executed because it is not in the whitelist.\n");
    }
    let outstanding = core.outstanding();
    match word {
        "ruok" => "imok".to_owned(),
        "isro" => "rw".to_owned(),
        "srvr" => core.with(|machine| server(machine, outstanding, false)),
        "stat" => core.with(|machine| server(machine, outstanding, true)),
        "mntr" => core.with(|machine| monitor(machine, outstanding)),
        "conf" => configuration(core),
        "cons" => core.with(|machine| {
            machine.connections.values().fold(String::new(), |text, c| text + &connection(c, true))
                + "\n"
        }),
        "dump" => core.with(dump),
        "wchs" => core.with(|machine| watches_summary(&machine.data_watches)),
        "wchc" => core.with(watches_by_session),
        "wchp" => core.with(watches_by_path),
        "envi" => environment(),
        "dirs" => {
            let (snapshots, logs) = core.disk_bytes();
            format!("datadir_size: {snapshots}\nlogdir_size: {logs}\n")
        }
        "crst" => {
            core.with(|machine| {
                machine.connections.values_mut().for_each(|c| c.stats = Default::default())
            });
            "Connection stats reset.\n".to_owned()
        }
        _ => {
            core.with(|machine| machine.stats = Default::default());
            "Server stats reset.\n".to_owned()
        }
    }
}

fn server(machine: &mut Machine, outstanding: usize, with_clients: bool) -> String {
    let mut text = format!("Zookeeper version: {VERSION}\n");
    if with_clients {
        text += "Clients:\n";
        machine.connections.values().for_each(|c| text += &connection(c, false));
        text += "\n";
    }
    let (min, mean, max) = machine.stats.latency_ms();
    let _ = write!(
        text,
        "Latency min/avg/max: {min}/{mean:.4}/{max}\nReceived: {}\nSent: {}\nConnections: {}\n\
         Outstanding: {outstanding}\nZxid: 0x{:x}\nMode: standalone\nNode count: {}\n",
        machine.stats.received,
        machine.stats.sent,
        machine.connections.len(),
        machine.durable_zxid(),
        machine.tree.len(),
    );
    text
}

fn connection(connection: &Connection, in_full: bool) -> String {
    let stats = &connection.stats;
    let mut text = format!(
        " /{}[1](queued={},recved={},sent={}",
        connection.peer,
        stats.received.saturating_sub(stats.sent),
        stats.received,
        stats.sent
    );
    if in_full && connection.session_id != 0 {
        let (min, mean, max) = stats.latency_ms();
        let _ = write!(
            text,
            ",sid=0x{:x},lop={},llat={},minlat={min},avglat={mean:.0},maxlat={max}",
            connection.session_id, connection.last_op, stats.last_ms
        );
    }
    text + ")\n"
}

fn monitor(machine: &mut Machine, outstanding: usize) -> String {
    let (min, mean, max) = machine.stats.latency_ms();
    let ephemerals: usize = machine.tree.ephemerals().map(|(_, paths)| paths.len()).sum();
    let watches = machine.data_watches.len() + machine.child_watches.len();
    let values: [(&str, String); 15] = [
        ("version", VERSION.to_owned()),
        ("server_state", "standalone".to_owned()),
        ("ephemerals_count", ephemerals.to_string()),
        ("min_latency", min.to_string()),
        ("avg_latency", format!("{mean:.4}")),
        ("max_latency", max.to_string()),
        ("num_alive_connections", machine.connections.len().to_string()),
        ("outstanding_requests", outstanding.to_string()),
        ("znode_count", machine.tree.len().to_string()),
        ("watch_count", watches.to_string()),
        ("approximate_data_size", machine.tree.bytes().to_string()),
        ("global_sessions", machine.sessions.len().to_string()),
        ("packets_received", machine.stats.received.to_string()),
        ("packets_sent", machine.stats.sent.to_string()),
        ("last_durable_zxid", machine.durable_zxid().to_string()),
    ];
    values.iter().fold(String::new(), |text, (key, value)| text + &format!("zk_{key}\t{value}\n"))
}

fn configuration(core: &Core) -> String {
    let config = &core.config;
    let (snapshots, logs) = core.disk_bytes();
    let (min, max) = config.session_timeouts_ms();
    let dir = core.data_dir().display();
    format!(
        "clientPort={}\nsecureClientPort=-1\ndataDir={dir}/version-2\ndataDirSize={snapshots}\n\
         dataLogDir={dir}/version-2\ndataLogSize={logs}\ntickTime={}\nmaxClientCnxns={}\n\
         minSessionTimeout={min}\nmaxSessionTimeout={max}\nclientPortListenBacklog=-1\nserverId=0\n",
        config.listen.port(),
        config.tick_time.0.as_millis(),
        config.max_client_cnxns,
    )
}

fn dump(machine: &mut Machine) -> String {
    let mut text = format!("SessionTracker dump:\nSession Sets ({}):\n", machine.sessions.len());
    for (deadline, sessions) in machine.sessions.deadlines() {
        let _ = writeln!(text, "{} expire at {} ms:", sessions.len(), deadline.as_millis());
        sessions.iter().for_each(|id| text += &format!("\t0x{id:x}\n"));
    }
    text += "ephemeral nodes dump:\n";
    let _ = writeln!(text, "Sessions with Ephemerals ({}):", machine.tree.ephemerals().count());
    for (session, paths) in machine.tree.ephemerals() {
        let _ = writeln!(text, "0x{session:x}:");
        paths.iter().for_each(|path| text += &format!("\t{path}\n"));
    }
    text += "Connections dump:\n";
    let _ = writeln!(text, "Connections Sets ({}):", machine.connections.len());
    text
}

fn watches_summary(watches: &Watches) -> String {
    format!(
        "{} connections watching {} paths\nTotal watches:{}\n",
        watches.connections().len(),
        watches.paths(),
        watches.len()
    )
}

fn watches_by_session(machine: &mut Machine) -> String {
    let mut text = String::new();
    for (id, paths) in machine.data_watches.connections() {
        let session = machine.connections.get(&id).map_or(0, |connection| connection.session_id);
        let _ = writeln!(text, "0x{session:x}");
        paths.iter().for_each(|path| text += &format!("\t{path}\n"));
    }
    text + "\n"
}

fn watches_by_path(machine: &mut Machine) -> String {
    let mut by_path: std::collections::BTreeMap<&String, Vec<i64>> = Default::default();
    for (id, paths) in machine.data_watches.connections() {
        let session = machine.connections.get(&id).map_or(0, |connection| connection.session_id);
        paths.iter().for_each(|path| by_path.entry(path).or_default().push(session));
    }
    let mut text = String::new();
    for (path, sessions) in by_path {
        let _ = writeln!(text, "{path}");
        sessions.iter().for_each(|session| text += &format!("\t0x{session:x}\n"));
    }
    text + "\n"
}

fn environment() -> String {
    format!(
        "Environment:\nzookeeper.version={VERSION}\nos.name={}\nos.arch={}\n",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
