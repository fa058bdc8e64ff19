//! One connection: frames in, requests to the threads, answers out in any order.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use tidemill_cql_wire::frame::{
    Compression, Envelope, FrameDecoder, FrameEncoder, FrameError, Opcode,
};
use tidemill_cql_wire::response::{EVENT_STREAM, Event, ResponseBody, SchemaChange};
use tidemill_cql_wire::{Request, Response, Version};
use tidemill_runtime::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc};

use crate::database::Client;
use crate::error::CqlError;
use crate::handlers::{self, Context};
use crate::limits::InFlight;
use crate::reply::{Answered, Reply, Session};
use crate::server::Shared;

/// Bytes read from a socket at once.
const READ_BYTES: usize = 64 << 10;
/// Bytes gathered for a socket before they are written.
const WRITE_BYTES: usize = 256 << 10;
/// Answers that wait beside those of requests in the works: events, errors of frames.
const SPARE_ANSWERS: usize = 256;

/// What the writing half does next.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Sends this: an event, or an answer that took no work.
    Envelope(Envelope),
    /// Sends the answer of a request, which is in the works until it is written.
    Answer(Envelope, Answered),
    /// Writes like this from now on.
    Switch { compression: Option<Compression>, segments: bool },
}

/// Serves a connection until it ends.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    shutdown: Shutdown,
) {
    // Answers are small and waited for.
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let capacity = shared.config.requests_per_connection_max + SPARE_ANSWERS;
    let (outgoing, answers) = mpsc::channel(capacity);
    shared.tasks.spawn("cql writer", write_answers(writer, answers));
    let client = Client {
        address: peer,
        protocol_version: 0,
        driver_name: None,
        driver_version: None,
        keyspace: None,
        request_count: 0,
    };
    let number = shared.database.clients().add(client);
    let connection = Connection {
        in_flight: InFlight::new(
            shared.config.requests_per_connection_max,
            shared.config.requests_bytes_max.as_usize(),
        ),
        decoder: FrameDecoder::for_requests(shared.config.frame_bytes_max.as_usize()),
        session: Arc::default(),
        version: Version::HIGHEST,
        is_open: false,
        events: None,
        number,
        is_broken: false,
        shared: shared.clone(),
        outgoing,
    };
    connection.run(reader, shutdown).await;
    shared.database.clients().remove(number);
}

struct Connection {
    shared: Arc<Shared>,
    decoder: FrameDecoder,
    session: Arc<Session>,
    version: Version,
    /// STARTUP has been answered.
    is_open: bool,
    events: Option<broadcast::Receiver<SchemaChange>>,
    in_flight: Arc<InFlight>,
    outgoing: mpsc::Sender<Outgoing>,
    number: u64,
    /// An answer could not be queued.
    is_broken: bool,
}

/// The connection ends after what is in the works.
struct Ended;

impl Connection {
    async fn run(mut self, mut reader: OwnedReadHalf, shutdown: Shutdown) {
        let mut input = BytesMut::with_capacity(READ_BYTES);
        loop {
            input.reserve(READ_BYTES);
            tokio::select! {
                read = reader.read_buf(&mut input) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {
                        if self.take_frames(&mut input).is_err() || self.is_broken {
                            break;
                        }
                    }
                },
                event = next_event(&mut self.events) => self.tell(event),
                () = shutdown.requested() => break,
            }
        }
        // What was asked is answered, unless the client is gone.
        self.in_flight.idle().await;
    }

    fn take_frames(&mut self, input: &mut BytesMut) -> Result<(), Ended> {
        loop {
            match self.decoder.decode(input) {
                Ok(Some(envelope)) => self.take(envelope)?,
                Ok(None) => return Ok(()),
                Err(error) => self.refuse(&error)?,
            }
        }
    }

    fn refuse(&mut self, error: &FrameError) -> Result<(), Ended> {
        let answer = match error {
            FrameError::TooLarge { .. } => CqlError::invalid(error.to_string()),
            _ => CqlError::protocol(error.to_string()),
        };
        // A client whose version is unknown reads the newest one's answer.
        let version = match error {
            FrameError::UnsupportedVersion { .. } => Version::HIGHEST,
            _ => self.version,
        };
        self.answer(version, error.stream(), error_response(answer));
        if error.is_fatal() { Err(Ended) } else { Ok(()) }
    }

    fn answer(&mut self, version: Version, stream: i16, response: Response) {
        let envelope = response.encode(version, stream);
        // No room: the client asks and does not read. An answer left out would never be missed
        // by us and always by the client, so the connection ends.
        self.is_broken |= self.outgoing.try_send(Outgoing::Envelope(envelope)).is_err();
    }

    fn take(&mut self, envelope: Envelope) -> Result<(), Ended> {
        let (version, stream) = (envelope.version, envelope.stream);
        self.version = version;
        let request = match Request::decode(&envelope) {
            Ok(request) => request,
            Err(error) => {
                let error = CqlError::protocol(error.to_string());
                self.answer(version, stream, error_response(error));
                return Ok(());
            }
        };
        match request {
            Request::Options(_) => self.answer(version, stream, handlers::options::handle()),
            Request::Startup(startup) if !self.is_open => return self.open(&startup, stream),
            other if !self.is_open => {
                let error = CqlError::protocol(format!(
                    "Unexpected message {}, expecting STARTUP or OPTIONS",
                    other.opcode().name()
                ));
                self.answer(version, stream, error_response(error));
            }
            Request::Startup(_) => {
                let error = CqlError::protocol(
                    "Unexpected message STARTUP, the connection is already initialized",
                );
                self.answer(version, stream, error_response(error));
            }
            Request::Register(register) => {
                let (wants_schema, response) = handlers::register::handle(&register);
                if wants_schema {
                    self.events = Some(self.shared.database.catalog().subscribe());
                }
                self.answer(version, stream, response);
            }
            Request::AuthResponse(response) => {
                let error = handlers::auth_response::handle(&response);
                self.answer(version, stream, error_response(error));
            }
            statement => self.start(statement, &envelope),
        }
        Ok(())
    }

    fn open(
        &mut self,
        startup: &tidemill_cql_wire::request::Startup,
        stream: i16,
    ) -> Result<(), Ended> {
        let version = self.version;
        match handlers::startup::handle(startup, version) {
            Ok(compression) => {
                self.is_open = true;
                self.answer(version, stream, ResponseBody::Ready.into());
                // READY itself still goes out as it is; everything behind it is in segments.
                let segments = version >= Version::V5;
                self.decoder.set_compression(compression);
                if segments {
                    self.decoder.start_segments();
                }
                let _ = self.outgoing.try_send(Outgoing::Switch { compression, segments });
                self.shared.database.clients().update(self.number, |client| {
                    client.protocol_version = version.number();
                    client.driver_name = startup.option("DRIVER_NAME").map(str::to_owned);
                    client.driver_version = startup.option("DRIVER_VERSION").map(str::to_owned);
                });
                Ok(())
            }
            Err(error) => {
                self.answer(version, stream, error_response(error));
                Err(Ended)
            }
        }
    }

    /// Hands a statement to the threads, unless too much is in the works.
    fn start(&mut self, request: Request, envelope: &Envelope) {
        let (version, stream) = (envelope.version, envelope.stream);
        let bytes = envelope.body.len();
        let entered = self
            .in_flight
            .enter(bytes)
            .and_then(|own| Ok([own, self.shared.in_flight.enter(bytes)?]));
        let guards = match entered {
            Ok(guards) => guards,
            Err(error) => return self.answer(version, stream, error_response(error)),
        };
        let outgoing = self.outgoing.clone();
        let reply = Reply::new(version, stream, outgoing, self.session.clone(), guards);
        let keyspace = self.session.keyspace.lock().clone();
        self.shared.database.clients().update(self.number, |client| {
            client.request_count += 1;
            if client.keyspace != keyspace {
                client.keyspace = keyspace.clone();
            }
        });
        let context = Context { database: self.shared.database.clone(), keyspace, reply };
        self.shared.stage.run(Box::new(move || run(&context, &request)));
    }

    fn tell(&mut self, event: Result<SchemaChange, broadcast::error::RecvError>) {
        match event {
            Ok(change) => {
                let event = ResponseBody::Event(Event::Schema(change));
                self.answer(self.version, EVENT_STREAM, event.into());
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "a client missed schema events");
            }
            Err(broadcast::error::RecvError::Closed) => self.events = None,
        }
    }
}

fn error_response(error: CqlError) -> Response {
    ResponseBody::Error(error.into_response()).into()
}

/// The next event, if any are wanted.
async fn next_event(
    events: &mut Option<broadcast::Receiver<SchemaChange>>,
) -> Result<SchemaChange, broadcast::error::RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// Runs a statement on one of the threads.
fn run(context: &Context, request: &Request) {
    let work = std::panic::AssertUnwindSafe(|| dispatch(context, request));
    let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| {
        tracing::error!(opcode = request.opcode().name(), "a statement panicked");
        Err(CqlError::server("the statement failed in the server; its log says where"))
    });
    if let Err(error) = outcome {
        context.reply.fail(error);
    }
}

fn dispatch(context: &Context, request: &Request) -> Result<(), CqlError> {
    match request {
        Request::Query(query) => handlers::query::handle(context, query),
        Request::Prepare(prepare) => handlers::prepare::handle(context, prepare),
        Request::Execute(execute) => handlers::execute::handle(context, execute),
        Request::Batch(batch) => handlers::batch::handle(context, batch),
        other => {
            Err(CqlError::protocol(format!("Unexpected message {}", Opcode::name(other.opcode()))))
        }
    }
}

/// Writes answers as they come; those that wait together go together.
async fn write_answers(mut writer: OwnedWriteHalf, mut answers: mpsc::Receiver<Outgoing>) {
    let (mut encoder, mut out) = (FrameEncoder::new(), BytesMut::new());
    // A client that does not read keeps its requests in the works, and gets no more.
    let mut answered = Vec::new();
    while let Some(first) = answers.recv().await {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            match outgoing {
                Outgoing::Envelope(envelope) => encoder.push(&envelope, &mut out),
                Outgoing::Answer(envelope, request) => {
                    encoder.push(&envelope, &mut out);
                    answered.push(request);
                }
                Outgoing::Switch { compression, segments } => {
                    encoder.flush(&mut out);
                    encoder.set_compression(compression);
                    if segments {
                        encoder.start_segments();
                    }
                }
            }
            next = if out.len() < WRITE_BYTES { answers.try_recv().ok() } else { None };
        }
        encoder.flush(&mut out);
        if writer.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
        answered.clear();
    }
    // The last answer is out: the client may read it before it sees the end.
    let _ = writer.shutdown().await;
}
