//! Messages in both directions: what one side writes the other reads, and nothing makes either
//! panic.

#![expect(clippy::unwrap_used, reason = "a test says what it knows by unwrapping")]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tidemill_cql_wire::frame::{Envelope, Flags, FrameDecoder, FrameEncoder, Opcode};
use tidemill_cql_wire::request::*;
use tidemill_cql_wire::response::*;
use tidemill_cql_wire::*;

fn text() -> impl Strategy<Value = String> {
    "[a-z_é]{0,12}"
}

fn blob() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(vec![Version::V3, Version::V4, Version::V5])
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![blob().prop_map(Value::Set), Just(Value::Null), Just(Value::Unset)]
}

fn values() -> impl Strategy<Value = Values> {
    prop_oneof![
        prop::collection::vec(value(), 0..5).prop_map(Values::Positional),
        prop::collection::vec((text(), value()), 1..5).prop_map(Values::Named),
    ]
}

fn consistency() -> impl Strategy<Value = Consistency> {
    prop::sample::select(Consistency::ALL_LEVELS)
}

prop_compose! {
    fn parameters()(
        consistency in consistency(), values in values(), skip_metadata: bool,
        page_size: Option<i32>, paging_state in prop::option::of(blob()),
        local: bool, timestamp in prop::option::of(-5_i64..i64::MAX),
        keyspace in prop::option::of(text()), now_in_seconds: Option<i32>,
    ) -> QueryParameters {
        let serial_consistency =
            if local { SerialConsistency::LocalSerial } else { SerialConsistency::Serial };
        QueryParameters {
            consistency, values, skip_metadata, page_size, paging_state, serial_consistency,
            timestamp, keyspace, now_in_seconds,
        }
    }
}

fn batch_statement() -> impl Strategy<Value = BatchStatement> {
    let statement =
        prop_oneof![text().prop_map(Statement::Query), blob().prop_map(Statement::Prepared)];
    (statement, prop::collection::vec(value(), 0..4)).prop_map(|(statement, values)| {
        BatchStatement { statement, values: Values::Positional(values) }
    })
}

fn request() -> impl Strategy<Value = Request> {
    let kinds = vec![BatchKind::Logged, BatchKind::Unlogged, BatchKind::Counter];
    let events = vec![EventKind::TopologyChange, EventKind::StatusChange, EventKind::SchemaChange];
    prop_oneof![
        prop::collection::vec((text(), text()), 0..4)
            .prop_map(|options| Request::Startup(Startup { options })),
        Just(Request::Options(Options)),
        (text(), parameters())
            .prop_map(|(query, parameters)| Request::Query(Query { query, parameters })),
        (text(), prop::option::of(text()))
            .prop_map(|(query, keyspace)| Request::Prepare(Prepare { query, keyspace })),
        (blob(), blob(), parameters()).prop_map(|(id, metadata, parameters)| {
            Request::Execute(Execute { id, result_metadata_id: Some(metadata), parameters })
        }),
        (prop::sample::select(kinds), prop::collection::vec(batch_statement(), 0..4), parameters())
            .prop_map(|(kind, statements, parameters)| {
                Request::Batch(Batch { kind, statements, parameters })
            }),
        prop::collection::vec(prop::sample::select(events), 0..3)
            .prop_map(|events| Request::Register(Register { events })),
        prop::option::of(blob()).prop_map(|token| Request::AuthResponse(AuthResponse { token })),
    ]
}

/// What older versions have no room for, as they send it.
fn as_sent(mut request: Request, version: Version) -> Request {
    let trim_values = |values: &mut Values| {
        let all: Vec<&mut Value> = match values {
            Values::Positional(values) => values.iter_mut().collect(),
            Values::Named(values) => values.iter_mut().map(|(_, value)| value).collect(),
        };
        for value in all {
            if version < Version::V4 && *value == Value::Unset {
                *value = Value::Null;
            }
        }
    };
    let trim = |parameters: &mut QueryParameters| {
        trim_values(&mut parameters.values);
        if version < Version::V5 {
            parameters.keyspace = None;
            parameters.now_in_seconds = None;
        }
    };
    match &mut request {
        Request::Query(query) => trim(&mut query.parameters),
        Request::Execute(execute) => {
            trim(&mut execute.parameters);
            if version < Version::V5 {
                execute.result_metadata_id = None;
            }
        }
        Request::Batch(batch) => {
            trim(&mut batch.parameters);
            for statement in &mut batch.statements {
                trim_values(&mut statement.values);
            }
            batch.parameters = QueryParameters {
                values: Values::default(),
                skip_metadata: false,
                page_size: None,
                paging_state: None,
                ..batch.parameters.clone()
            };
        }
        Request::Prepare(prepare) if version < Version::V5 => prepare.keyspace = None,
        _ => {}
    }
    request
}

fn cql_type() -> impl Strategy<Value = CqlType> {
    let natives = ["int", "text", "uuid", "decimal", "boolean", "timeuuid", "blob", "inet"];
    let leaf = prop::sample::select(natives.to_vec())
        .prop_map(|name| CqlType::native_named(name).unwrap());
    leaf.prop_recursive(3, 12, 3, |inner| {
        let field = ("[a-z]{1,5}", inner.clone());
        prop_oneof![
            inner.clone().prop_map(|element| CqlType::List(Box::new(element))),
            inner.clone().prop_map(|element| CqlType::Set(Box::new(element))),
            (inner.clone(), inner.clone())
                .prop_map(|(key, value)| CqlType::Map(Box::new(key), Box::new(value))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(CqlType::Tuple),
            (inner, 1..5_u16)
                .prop_map(|(element, dimension)| CqlType::Vector(Box::new(element), dimension)),
            prop::collection::vec(field, 1..4).prop_map(|fields| {
                let (keyspace, name) = ("ks".to_owned(), "type".to_owned());
                CqlType::Udt(Arc::new(UdtType { keyspace, name, fields }))
            }),
        ]
    })
}

fn columns() -> impl Strategy<Value = Vec<ColumnSpec>> {
    let column =
        ("ks|other", "[ab]", text(), cql_type()).prop_map(|(keyspace, table, name, cql_type)| {
            ColumnSpec { keyspace: keyspace.into(), table: table.into(), name, cql_type }
        });
    prop::collection::vec(column, 1..5)
}

fn rows() -> impl Strategy<Value = Rows> {
    (columns(), 0..5_usize, blob(), prop::option::of(blob())).prop_map(
        |(columns, count, cell, paging_state)| {
            let mut builder = RowsBuilder::new(Arc::new(columns.clone()));
            for row in 0..count {
                builder.push((0..columns.len()).map(|at| (at != row).then_some(&cell)));
            }
            let mut rows = builder.finish();
            rows.metadata.paging_state = paging_state;
            rows
        },
    )
}

fn schema_change() -> impl Strategy<Value = SchemaChange> {
    let changes = vec![ChangeType::Created, ChangeType::Updated, ChangeType::Dropped];
    let target = prop_oneof![
        Just(ChangeTarget::Keyspace),
        text().prop_map(ChangeTarget::Table),
        text().prop_map(ChangeTarget::Type),
        (text(), prop::collection::vec(text(), 0..3))
            .prop_map(|(name, types)| ChangeTarget::Function(name, types)),
    ];
    (prop::sample::select(changes), text(), target)
        .prop_map(|(change, keyspace, target)| SchemaChange { change, keyspace, target })
}

fn error() -> impl Strategy<Value = ErrorResponse> {
    let consistency = Consistency::Quorum;
    prop_oneof![
        text().prop_map(|message| ErrorResponse::new(ErrorCode::Invalid, message)),
        (text(), text()).prop_map(|(keyspace, table)| ErrorResponse {
            code: ErrorCode::AlreadyExists,
            message: "exists".into(),
            detail: ErrorDetail::AlreadyExists { keyspace, table },
        }),
        blob().prop_map(|id| ErrorResponse {
            code: ErrorCode::Unprepared,
            message: "prepare again".into(),
            detail: ErrorDetail::Unprepared(id),
        }),
        Just(ErrorResponse {
            code: ErrorCode::WriteTimeout,
            message: "late".into(),
            detail: ErrorDetail::WriteTimeout {
                consistency,
                received: 0,
                required: 1,
                write_type: "CAS".into(),
            },
        }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let address = "127.0.0.1:9042".parse().unwrap();
    let result = prop_oneof![
        Just(ResultResponse::Void),
        rows().prop_map(ResultResponse::Rows),
        text().prop_map(ResultResponse::SetKeyspace),
        schema_change().prop_map(ResultResponse::SchemaChange),
        (blob(), columns(), columns()).prop_map(|(id, markers, columns)| {
            ResultResponse::Prepared(Box::new(Prepared {
                result_metadata_id: Some(id.clone()),
                id,
                metadata: PreparedMetadata { columns: markers, partition_key: vec![0] },
                result_metadata: ResultMetadata::of(Arc::new(columns)),
            }))
        }),
    ];
    let body = prop_oneof![
        error().prop_map(ResponseBody::Error),
        Just(ResponseBody::Ready),
        prop::collection::vec((text(), prop::collection::vec(text(), 0..3)), 0..3)
            .prop_map(|options| ResponseBody::Supported(Supported { options })),
        schema_change().prop_map(|change| ResponseBody::Event(Event::Schema(change))),
        Just(ResponseBody::Event(Event::Status(StatusChange::Up, address))),
        blob().prop_map(|token| ResponseBody::AuthSuccess(Some(token))),
        result.prop_map(ResponseBody::Result),
    ];
    (body, prop::collection::vec(text(), 0..3), any::<bool>()).prop_map(
        |(body, warnings, traced)| {
            let tracing_id = traced.then(|| uuid::Uuid::from_u128(42));
            Response { warnings, tracing_id, ..Response::from(body) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_server_reads_the_request_a_client_wrote(request in request(), version in version()) {
        let envelope = request.encode(version, 5);
        prop_assert_eq!(Request::decode(&envelope).unwrap(), as_sent(request, version));
    }

    #[test]
    fn a_client_reads_the_response_a_server_wrote(response in response()) {
        // v5 alone has room for everything.
        let envelope = response.encode(Version::V5, 5);
        prop_assert_eq!(Response::decode(&envelope).unwrap(), response);
    }

    #[test]
    fn older_versions_read_responses_too(response in response(), version in version()) {
        let envelope = response.encode(version, 5);
        let read = Response::decode(&envelope).unwrap();
        prop_assert_eq!(read.body.opcode(), response.body.opcode());
    }

    #[test]
    fn no_body_makes_a_reader_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        opcode in prop::sample::select(Opcode::ALL),
        flags: u8,
        version in version(),
        is_response: bool,
    ) {
        let body = Bytes::from(body);
        let flags = Flags(flags & 0x1E);
        let envelope = Envelope { version, is_response, flags, stream: 0, opcode, body };
        let _ = Request::decode(&envelope);
        let _ = Response::decode(&envelope);
    }

    #[test]
    fn a_type_reads_back_from_its_class_name(cql_type in cql_type()) {
        prop_assert_eq!(CqlType::from_class_name(&cql_type.class_name()), cql_type);
    }
}

/// The first bytes of cassandra-driver 3.30 against Cassandra 5.0.9: OPTIONS, and STARTUP in v5.
#[test]
fn the_python_drivers_first_frames_are_read() {
    let mut input = BytesMut::new();
    input.extend_from_slice(&[5, 0, 0, 0, 5, 0, 0, 0, 0]);
    let options = b"\x00\x01\x00\x0bCQL_VERSION\x00\x053.4.7";
    input.extend_from_slice(&[5, 0, 0, 1, 1, 0, 0, 0, options.len() as u8]);
    input.extend_from_slice(options);
    let mut decoder = FrameDecoder::for_requests(1 << 20);
    let first = decoder.decode(&mut input).unwrap().unwrap();
    assert_eq!(Request::decode(&first), Ok(Request::Options(Options)));
    let second = decoder.decode(&mut input).unwrap().unwrap();
    let Request::Startup(startup) = Request::decode(&second).unwrap() else { panic!() };
    assert_eq!(startup.option("cql_version"), Some("3.4.7"));
}

#[test]
fn a_custom_payload_is_skipped() {
    let mut envelope = Request::Options(Options).encode(Version::V4, 1);
    envelope.flags = Flags::CUSTOM_PAYLOAD;
    envelope.body = Bytes::from_static(b"\x00\x01\x00\x01k\x00\x00\x00\x01v");
    assert_eq!(Request::decode(&envelope), Ok(Request::Options(Options)));
    let mut out = BytesMut::new();
    FrameEncoder::new().push(&envelope, &mut out);
    assert_eq!(out.len(), 9 + envelope.body.len());
}
