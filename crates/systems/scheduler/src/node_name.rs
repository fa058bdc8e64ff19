//! This scheduler's name among others: the machine's, and what tells two of one machine apart.

use std::io;
use std::path::Path;

use tidemill_runtime::World;

/// The file in the data directory, so that a scheduler that starts again is the same one.
const FILE: &str = "node";
/// The machine's name.
const HOST: &str = "/proc/sys/kernel/hostname";

pub(crate) fn node_name(world: &World, data: &Path) -> io::Result<String> {
    let path = data.join(FILE);
    if world.disk.exists(&path) {
        let name = String::from_utf8_lossy(&world.disk.read(&path)?).trim().to_owned();
        if !name.is_empty() {
            return Ok(name);
        }
    }
    let host = std::fs::read_to_string(HOST).unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        host => host,
    };
    let mut tail = [0; 3];
    world.random.fill(&mut tail);
    let name = format!("{host}-{:02x}{:02x}{:02x}", tail[0], tail[1], tail[2]);
    world.disk.replace(&path, format!("{name}\n").as_bytes())?;
    Ok(name)
}
