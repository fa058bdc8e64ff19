//! Whole histories, each from one seed: clients that read, write, lock and go away; a server whose
//! power is cut at any call of its disk; a clock that is moved. A second, much simpler set of books
//! is kept from the log's records, and everything that anybody is shown is checked against it.
//!
//! What is checked:
//! - An acknowledged write is in the log, behind all that was acknowledged before it was asked for.
//! - A read shows a state between what was acknowledged when it was asked for and now.
//! - After a power cut the nodes are those of a whole number of transactions, at least up to the
//!   last one that anybody was shown; every ephemeral node has its session.
//! - Numbers of transactions never go back for a client; a watch is told before what it watches for
//!   can be read.
//! - A lock never has two holders, and each holder's number is larger than the one's before.
//!
//! 200 seeds; `TIDEMILL_SIM_SEEDS=5000` for more, `TIDEMILL_SIM_SEED=n` for one.

mod books;
mod client;
mod server;

use std::time::Duration;

use tidemill_runtime::Random as _;
use tidemill_sim::{SimRandom, SimWorld};

use self::books::Books;
use self::client::Client;
use self::server::Server;

const SEEDS: u64 = 200;
const STEPS: usize = 300;
const CLIENTS: usize = 4;

#[test]
fn no_history_shows_what_is_not_so() {
    if let Some(seed) = tidemill_sim::replayed_seed() {
        println!("{:?}", History::new(seed).run());
        return;
    }
    let seeds = std::env::var("TIDEMILL_SIM_SEEDS").ok().and_then(|n| n.parse().ok());
    let mut seen = Seen::default();
    for seed in 0..seeds.unwrap_or(SEEDS) {
        let of_one = std::panic::catch_unwind(|| History::new(seed).run());
        match of_one {
            Ok(of_one) => seen.add(of_one),
            Err(why) => {
                println!("replay with TIDEMILL_SIM_SEED={seed}");
                std::panic::resume_unwind(why);
            }
        }
    }
    // A history in which nothing happens proves nothing.
    assert!(seen.writes > 1_000 && seen.reads > 1_000, "{seen:?}");
    assert!(seen.crashes > 100 && seen.locks > 100 && seen.expired > 10, "{seen:?}");
    assert!(seen.recovered_unanswered > 10 && seen.events > 100, "{seen:?}");
    println!("{seen:?}");
}

/// What histories were made of.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    writes: u64,
    reads: u64,
    events: u64,
    locks: u64,
    crashes: u64,
    expired: u64,
    /// Crashes after which a write was there that nobody had been told of.
    recovered_unanswered: u64,
}

impl Seen {
    fn add(&mut self, other: Seen) {
        self.writes += other.writes;
        self.reads += other.reads;
        self.events += other.events;
        self.locks += other.locks;
        self.crashes += other.crashes;
        self.expired += other.expired;
        self.recovered_unanswered += other.recovered_unanswered;
    }
}

struct History {
    random: SimRandom,
    server: Server,
    clients: Vec<Client>,
    books: Books,
}

impl History {
    fn new(seed: u64) -> History {
        let world = SimWorld::new(seed);
        let random = world.random.fork();
        let clients = (0..CLIENTS).map(Client::new).collect();
        History { random, server: Server::open(world), clients, books: Books::default() }
    }

    fn run(mut self) -> Seen {
        for _ in 0..STEPS {
            self.step();
            self.books.check_locks(&self.clients, self.server.now());
        }
        self.books.seen
    }

    fn step(&mut self) {
        let client = usize::try_from(self.random.below(CLIENTS as u64)).unwrap_or(0);
        match self.random.below(100) {
            0..60 => {
                let client = &mut self.clients[client];
                client.act(&mut self.server, &self.books, &self.random);
            }
            60..85 => self.flush(),
            85..90 => {
                self.server.advance(Duration::from_millis(self.random.below(1_500)));
            }
            90..92 => self.clients[client].disconnect(&mut self.server),
            92..95 => self.snapshot(),
            95 => {
                // Long enough for those who say nothing meanwhile.
                self.server.advance(Duration::from_millis(5_000));
            }
            96 => self.crash(),
            _ => {
                self.server.cut_power_within(self.random.below(8) + 1);
                self.flush();
            }
        }
        self.deliver();
    }

    fn flush(&mut self) {
        if self.server.flush(&mut self.books).is_err() {
            self.crash();
        }
    }

    fn snapshot(&mut self) {
        if self.server.snapshot(&mut self.books).is_err() {
            self.crash();
        }
    }

    /// What left the server before the power went still arrives.
    fn crash(&mut self) {
        self.deliver();
        self.books.seen.crashes += 1;
        self.server.crash(self.random.u64());
        self.clients.iter_mut().for_each(Client::connection_lost);
        self.books.recovered(&self.server);
    }

    fn deliver(&mut self) {
        for effect in self.server.machine.take_effects() {
            for client in &mut self.clients {
                if client.connection == Some(effect.to) {
                    client.receive(&effect.output, &mut self.books, self.server.now());
                    break;
                }
            }
        }
    }
}
