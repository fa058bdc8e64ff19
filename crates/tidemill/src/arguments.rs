//! The command line: `tidemill <noun> <verb>`, the daily verbs bare.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidemill_runtime::Span;

/// The whole real-time data stack in one binary: HTTP → Kafka topic → SQL → Cassandra table →
/// screen.
#[derive(Debug, Parser)]
#[command(name = "tidemill", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    /// The project's directory, where `tidemill.toml` lies.
    #[arg(short = 'C', long = "project", global = true, default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Lays the tables `[profile.NAME.…]` of `tidemill.toml` over the others.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Prints one JSON object per line on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a project and stay.
    Up(Up),
    /// Write the `users` project, start it, and watch records flow.
    Demo(Demo),
    /// Write a new project.
    Init(Init),
    /// Run a script of the project beside the node: its host names lead to the boxes, Spark is the
    /// engine.
    Run(Run),
    /// Show what runs, and how the data moves.
    Status,
    /// Topics: list, create, describe, read, write.
    #[command(subcommand)]
    Topic(Topic),
    /// Run CQL on the store.
    Cql(Statement),
    /// Run SQL on the engine.
    Sql(Statement),
    /// DAGs: list, trigger, runs, logs.
    #[command(subcommand)]
    Dag(Dag),
    /// Profiles: which real systems are in place of ours, and whether they let us in.
    #[command(subcommand)]
    Profile(Profile),
    /// Check this machine and this project, and say what mends what is wrong.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The project's directory (the same as -C).
    #[arg(value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// Where everything durable lies.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Starts only these boxes.
    #[arg(long, value_name = "BOX,BOX", value_delimiter = ',')]
    pub(crate) only: Option<Vec<String>>,
    /// Of a compose project: the ports it publishes, or any free ones.
    #[arg(long, value_enum, default_value_t = Ports::Published)]
    pub(crate) ports: Ports,
    /// Of a compose project: APIs that this binary knows are answered by its look-alike.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Of a compose project: scripts that read a stream are only named, not started.
    #[arg(long)]
    pub(crate) no_scripts: bool,
}

/// Which ports the parts of a compose project take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ports {
    /// Those that the compose file publishes.
    Published,
    /// Any free ones; tasks and scripts find them by the names they know.
    Auto,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A Python, shell or SQL file.
    #[arg(value_name = "FILE")]
    pub(crate) script: PathBuf,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the project is written, its data beside it.
    #[arg(long = "dir", value_name = "DIR", default_value = "tidemill-demo", id = "demo_dir")]
    pub(crate) dir: PathBuf,
    /// Ends by itself after this long, with a one-page result.
    #[arg(long = "for", value_name = "20s", value_parser = span)]
    pub(crate) lasts: Option<Span>,
    /// People per second.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
    /// Polls https://randomuser.me/api/ instead of the look-alike in this binary.
    #[arg(long)]
    pub(crate) live: bool,
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error: tidemill_runtime::UnitError| error.to_string())
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The new directory; its last part is the project's name.
    pub(crate) path: PathBuf,
    /// What it starts with.
    #[arg(short, long, default_value = "users", value_parser = ["users", "blank"])]
    pub(crate) template: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topic {
    /// List topics with their partitions and records.
    Ls,
    /// Create a topic.
    Create {
        name: String,
        #[arg(short, long, default_value_t = 1)]
        partitions: i32,
        /// A topic configuration, such as retention.ms=86400000.
        #[arg(short, long = "config", value_name = "KEY=VALUE")]
        configs: Vec<String>,
    },
    /// Show partitions, offsets and configuration.
    Describe { name: String },
    /// Print the newest records, then those that come.
    Tail {
        name: String,
        /// How many of the newest to begin with.
        #[arg(short = 'n', long, default_value_t = 10)]
        records: u32,
        /// Begin with the oldest.
        #[arg(long)]
        from_beginning: bool,
        /// Ends at what is the end now.
        #[arg(long)]
        once: bool,
    },
    /// Write records: one per argument, or one per line of stdin.
    Produce {
        name: String,
        values: Vec<String>,
        #[arg(short, long)]
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// List the profiles of `tidemill.toml`, and what is external in each.
    Ls,
    /// Ask each external system of a profile: reached, trusted, let in, new enough, allowed?
    Check {
        /// The profile; the chosen one if absent.
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Statement {
    /// The statements, separated by `;`.
    #[arg(short, long, value_name = "STATEMENT", conflicts_with = "file")]
    pub(crate) command: Option<String>,
    /// A file with statements.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dag {
    /// List DAGs, and the files that could not be read.
    Ls,
    /// Start a run now.
    Trigger {
        dag_id: String,
        /// Parameters of this run, as a JSON object.
        #[arg(short, long, value_name = "JSON")]
        conf: Option<String>,
        /// Waits for the end; fails if the run fails.
        #[arg(long)]
        wait: bool,
    },
    /// List the runs of a DAG, newest first.
    Runs { dag_id: String },
    /// Print the log of a run's tasks.
    Logs {
        dag_id: String,
        /// The run; the newest if absent.
        run_id: Option<String>,
        /// Only this task.
        #[arg(short, long)]
        task: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_arguments_share_a_name() {
        Arguments::command().debug_assert();
    }
}
