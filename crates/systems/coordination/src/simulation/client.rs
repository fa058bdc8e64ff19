//! A client that reads and writes a few nodes, and takes the lock now and then.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tidemill_runtime::Random as _;
use tidemill_sim::SimRandom;
use tidemill_zookeeper_wire::data::Acl;
use tidemill_zookeeper_wire::request::{
    CreateMode, CreateRequest, PathVersion, PathWatch, SetDataRequest,
};
use tidemill_zookeeper_wire::session::{
    ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader, WatcherEvent, XID_NOTIFICATION,
};
use tidemill_zookeeper_wire::{Jute as _, OpResult, Reader, Request, Response, frame};

use super::books::Books;
use super::server::Server;
use crate::machine::{ConnId, Output};

const REGISTERS: u64 = 3;
const LOCK: &str = "/lock";

/// Where a client stands with the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lock {
    Free,
    /// Its node was asked for, or may be there after all.
    Queued,
    /// It waits until the node before it goes.
    Waiting,
    Held,
    Releasing,
}

struct Pending {
    xid: i32,
    request: Request,
    /// What was acknowledged to anybody when it was asked.
    before: i64,
    sent_at: Duration,
}

pub(super) struct Client {
    pub(super) id: usize,
    pub(super) connection: Option<ConnId>,
    connecting: bool,
    session_id: i64,
    password: Bytes,
    timeout: Duration,
    last_zxid: i64,
    /// Until then the session lives, whatever the server does.
    certain_until: Duration,
    pending: VecDeque<Pending>,
    next_xid: i32,
    writes: u32,
    lock: Lock,
    /// Its node below the lock.
    place: Option<String>,
    /// The node before it, to be watched.
    before_me: Option<String>,
    /// Nodes whose change it is to be told, with what it knows of them.
    watched: HashMap<String, i64>,
}

impl Client {
    pub(super) fn new(id: usize) -> Client {
        Client {
            id,
            connection: None,
            connecting: false,
            session_id: 0,
            password: Bytes::from_static(&[0; 16]),
            timeout: Duration::ZERO,
            last_zxid: 0,
            certain_until: Duration::ZERO,
            pending: VecDeque::new(),
            next_xid: 1,
            writes: 0,
            lock: Lock::Free,
            place: None,
            before_me: None,
            watched: HashMap::new(),
        }
    }

    pub(super) fn holds_lock(&self, now: Duration) -> bool {
        self.lock == Lock::Held && self.session_id != 0 && now < self.certain_until
    }

    pub(super) fn disconnect(&mut self, server: &mut Server) {
        if let Some(connection) = self.connection {
            server.machine.disconnect(connection);
            self.connection_lost();
        }
    }

    pub(super) fn connection_lost(&mut self) {
        self.connection = None;
        self.pending.clear();
        self.watched.clear();
        // What was under way may have happened or not: the next look tells.
        self.before_me = None;
        if matches!(self.lock, Lock::Waiting | Lock::Releasing) {
            self.lock = Lock::Queued;
        }
    }

    /// Does one thing.
    pub(super) fn act(&mut self, server: &mut Server, books: &Books, random: &SimRandom) {
        let Some(connection) = self.connection else { return self.connect(server) };
        if self.connecting {
            return;
        }
        let register = format!("/r{}", random.below(REGISTERS));
        let request = match random.below(20) {
            0..5 => Request::GetData(PathWatch { path: register, watch: random.chance(1, 2) }),
            5..7 => Request::Create(self.node(&register, CreateMode::Persistent)),
            7..10 => self.set(register, if random.chance(1, 2) { -1 } else { 1 }),
            10 => Request::Delete(PathVersion { path: register, version: -1 }),
            11 => Request::Create2(self.node(&format!("/e{}", self.id), CreateMode::Ephemeral)),
            12..14 => self.multi(),
            14 => Request::Ping,
            15 if random.chance(1, 8) => {
                // Answered or not, from now on the lock may be somebody else's.
                self.lock = Lock::Releasing;
                Request::CloseSession
            }
            _ => self.about_the_lock(),
        };
        self.ask(server, books, connection, request);
    }

    fn connect(&mut self, server: &mut Server) {
        let connection = server.connect();
        (self.connection, self.connecting) = (Some(connection), true);
        let request = ConnectRequest {
            timeout_ms: 4_000,
            session_id: self.session_id,
            password: Some(self.password.clone()),
            last_zxid_seen: self.last_zxid,
            ..ConnectRequest::default()
        };
        self.pending.push_back(Pending {
            xid: 0,
            request: Request::Ping,
            before: 0,
            sent_at: server.now(),
        });
        server.packet(connection, frame::of(&request));
    }

    fn ask(&mut self, server: &mut Server, books: &Books, to: ConnId, request: Request) {
        let xid = self.next_xid;
        self.next_xid += 1;
        let bytes = frame::build(|to| {
            RequestHeader { xid, op: request.op().number() }.write(to);
            request.write(to);
        });
        let (before, sent_at) = (books.acknowledged(), server.now());
        self.pending.push_back(Pending { xid, request, before, sent_at });
        server.packet(to, bytes);
    }

    fn node(&mut self, path: &str, mode: CreateMode) -> CreateRequest {
        let (path, data) = (path.to_owned(), Some(self.value()));
        CreateRequest { path, data, acl: Acl::open(), flags: mode.flags() }
    }

    fn set(&mut self, path: String, version: i32) -> Request {
        Request::SetData(SetDataRequest { path, data: Some(self.value()), version })
    }

    /// No value is written twice.
    fn value(&mut self) -> Bytes {
        self.writes += 1;
        Bytes::from(format!("{}-{}", self.id, self.writes))
    }

    fn multi(&mut self) -> Request {
        let one = self.set("/r0".to_owned(), -1);
        let two = self.set("/r1".to_owned(), -1);
        let made = Request::Create(self.node("/m", CreateMode::PersistentSequential));
        Request::Multi(vec![one, made, two])
    }

    fn about_the_lock(&mut self) -> Request {
        match self.lock {
            Lock::Free if self.next_xid % 3 == 0 => {
                Request::Create(self.node(LOCK, CreateMode::Persistent))
            }
            Lock::Free => {
                self.lock = Lock::Queued;
                let name = format!("{LOCK}/{}-", self.id);
                Request::Create2(self.node(&name, CreateMode::EphemeralSequential))
            }
            Lock::Queued if self.before_me.is_some() => {
                self.lock = Lock::Waiting;
                let path = self.before_me.take().unwrap_or_default();
                Request::Exists(PathWatch { path, watch: true })
            }
            Lock::Queued => {
                Request::GetChildren2(PathWatch { path: LOCK.to_owned(), watch: false })
            }
            Lock::Held => {
                self.lock = Lock::Releasing;
                let path = format!("{LOCK}/{}", self.place.as_deref().unwrap_or("none"));
                Request::Delete(PathVersion { path, version: -1 })
            }
            Lock::Waiting | Lock::Releasing => Request::Ping,
        }
    }

    /// Takes what the server sends.
    pub(super) fn receive(&mut self, output: &Output, books: &mut Books, now: Duration) {
        match output {
            Output::Close => self.connection_lost(),
            Output::Reply(frame) | Output::Event(frame) => {
                let mut reader = Reader::new(frame.slice(4..));
                if self.connecting {
                    return self.connected(reader.take().unwrap(), books);
                }
                let header: ReplyHeader = reader.take().unwrap();
                if header.xid == XID_NOTIFICATION {
                    books.seen.events += 1;
                    books.show(header.zxid);
                    self.told(&reader.take().unwrap());
                } else {
                    self.answered(&header, &mut reader, books, now);
                }
            }
        }
    }

    fn connected(&mut self, answer: ConnectResponse, books: &mut Books) {
        self.connecting = false;
        let sent_at = self.pending.pop_front().map_or(Duration::ZERO, |pending| pending.sent_at);
        if answer.timeout_ms == 0 {
            books.seen.expired += 1;
            let id = self.id;
            let (next_xid, writes, last_zxid) = (self.next_xid, self.writes, self.last_zxid);
            *self = Client { next_xid, writes, last_zxid, ..Client::new(id) };
            return;
        }
        self.session_id = answer.session_id;
        self.password = answer.password.unwrap();
        self.timeout = Duration::from_millis(answer.timeout_ms.unsigned_abs().into());
        self.certain_until = sent_at + self.timeout;
    }

    fn told(&mut self, event: &WatcherEvent) {
        self.watched.remove(&event.path);
        if event.path.starts_with(LOCK) && self.lock == Lock::Waiting {
            self.lock = Lock::Queued;
        }
    }

    fn answered(
        &mut self,
        header: &ReplyHeader,
        reader: &mut Reader,
        books: &mut Books,
        now: Duration,
    ) {
        let pending = self.pending.pop_front().expect("no answer without a request");
        assert_eq!(pending.xid, header.xid, "answers come in the order of requests");
        assert!(header.zxid >= self.last_zxid, "{} after {}", header.zxid, self.last_zxid);
        self.last_zxid = header.zxid;
        books.show(header.zxid);
        self.certain_until = self.certain_until.max(pending.sent_at + self.timeout);
        let response =
            (header.error == 0).then(|| Response::read(pending.request.op(), reader).unwrap());
        match (&pending.request, response) {
            (Request::GetData(ask), found) => self.read(ask, found.as_ref(), &pending, books),
            (Request::GetChildren2(_), Some(Response::Children(names, _))) => {
                self.look_at_queue(names, books, now);
            }
            (Request::GetChildren2(_), None) => self.lock = Lock::Free,
            (Request::Multi(_), Some(Response::Results(results)))
                if results.iter().any(|result| matches!(result, OpResult::Error(_))) => {}
            (Request::CloseSession, Some(_)) => {
                books.wrote(self.session_id, header.xid, header.zxid, pending.before);
                let (next_xid, writes) = (self.next_xid, self.writes);
                let fresh = Client::new(self.id);
                *self = Client { next_xid, writes, last_zxid: header.zxid, ..fresh };
            }
            // It has gone already: nothing is to be waited for.
            (Request::Exists(_), None) if self.lock == Lock::Waiting => self.lock = Lock::Queued,
            (Request::Exists(_) | Request::Ping, _) => {}
            (request, Some(response)) => {
                books.wrote(self.session_id, header.xid, header.zxid, pending.before);
                self.wrote(request, &response);
            }
            (Request::Create2(create), None) if create.path.starts_with(LOCK) => {
                self.lock = Lock::Free;
            }
            (Request::Delete(node), None) if node.path.starts_with(LOCK) => self.lock = Lock::Free,
            _ => {}
        }
    }

    fn read(
        &mut self,
        ask: &PathWatch,
        found: Option<&Response>,
        pending: &Pending,
        books: &mut Books,
    ) {
        let found = match found {
            Some(Response::Data(data, stat)) => Some((data, stat)),
            _ => None,
        };
        books.read(&ask.path, found, pending.before);
        let shown = found.map_or(0, |(_, stat)| stat.mzxid);
        if let Some(known) = self.watched.get(&ask.path) {
            assert_eq!(*known, shown, "{} has changed, and nobody was told", ask.path);
        }
        if ask.watch && found.is_some() {
            self.watched.insert(ask.path.clone(), shown);
        }
    }

    fn wrote(&mut self, request: &Request, response: &Response) {
        match (request, response) {
            (Request::Create2(create), Response::Created(path, _))
                if create.path.starts_with(LOCK) =>
            {
                self.place = path.rsplit_once('/').map(|(_, name)| name.to_owned());
            }
            (Request::Delete(node), _) if node.path.starts_with(LOCK) => {
                (self.lock, self.place) = (Lock::Free, None);
            }
            _ => {}
        }
    }

    /// Who has the lowest number holds the lock.
    fn look_at_queue(&mut self, mut names: Vec<String>, books: &mut Books, now: Duration) {
        if self.lock != Lock::Queued {
            return;
        }
        let number = |name: &str| -> i64 { name.rsplit_once('-').unwrap().1.parse().unwrap() };
        names.sort_by_key(|name| number(name));
        let mine = format!("{}-", self.id);
        let Some(place) = names.iter().position(|name| name.starts_with(&mine)) else {
            (self.lock, self.place) = (Lock::Free, None);
            return;
        };
        self.place = Some(names[place].clone());
        if place > 0 {
            // Its going is told by a watch that the next look sets.
            self.before_me = Some(format!("{LOCK}/{}", names[place - 1]));
        } else if now < self.certain_until {
            self.lock = Lock::Held;
            books.lock_taken(&format!("{LOCK}/{}", names[0]));
        }
    }
}
