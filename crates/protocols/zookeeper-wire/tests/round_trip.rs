//! What is written is read back the same, and no bytes whatever make a reader panic.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use tidemill_zookeeper_wire::data::{Acl, Id, Stat};
use tidemill_zookeeper_wire::request::{
    CreateRequest, CreateTtlRequest, PathVersion, PathWatch, SetDataRequest, SetWatches2,
};
use tidemill_zookeeper_wire::session::{
    AuthPacket, ConnectRequest, ConnectResponse, EventType, event_frame,
};
use tidemill_zookeeper_wire::txn::{CreateTxn, SetDataTxn, Txn};
use tidemill_zookeeper_wire::{Jute, Op, OpResult, Reader, Request, Response};

fn data() -> impl Strategy<Value = Option<Bytes>> {
    prop::option::of(vec(any::<u8>(), 0..40).prop_map(Bytes::from))
}

fn acl() -> impl Strategy<Value = Vec<Acl>> {
    let entry = (any::<i32>(), "[a-z]{0,6}", ".{0,8}")
        .prop_map(|(perms, scheme, id)| Acl { perms, id: Id { scheme, id } });
    vec(entry, 0..4)
}

fn create() -> impl Strategy<Value = CreateRequest> {
    (".{0,12}", data(), acl(), any::<i32>()).prop_map(|(path, data, acl, flags)| CreateRequest {
        path,
        data,
        acl,
        flags,
    })
}

fn write() -> impl Strategy<Value = Request> {
    prop_oneof![
        create().prop_map(Request::Create),
        create().prop_map(Request::Create2),
        create().prop_map(Request::CreateContainer),
        (create(), any::<i64>()).prop_map(|(create, ttl_ms)| {
            let CreateRequest { path, data, acl, flags } = create;
            Request::CreateTtl(CreateTtlRequest { path, data, acl, flags, ttl_ms })
        }),
        (".{0,12}", any::<i32>())
            .prop_map(|(path, version)| Request::Delete(PathVersion { path, version })),
        (".{0,12}", data(), any::<i32>()).prop_map(|(path, data, version)| {
            Request::SetData(SetDataRequest { path, data, version })
        }),
        (".{0,12}", any::<i32>())
            .prop_map(|(path, version)| Request::Check(PathVersion { path, version })),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let node = || (".{0,12}", any::<bool>()).prop_map(|(path, watch)| PathWatch { path, watch });
    prop_oneof![
        write(),
        vec(write(), 0..5).prop_map(Request::Multi),
        vec(
            prop_oneof![node().prop_map(Request::GetData), node().prop_map(Request::GetChildren)],
            0..5
        )
        .prop_map(Request::MultiRead),
        node().prop_map(Request::Exists),
        vec(".{0,8}", 0..4).prop_map(|paths| {
            Request::SetWatches2(SetWatches2 { exist: paths, ..SetWatches2::default() })
        }),
        data().prop_map(|auth| Request::Auth(AuthPacket {
            kind: 0,
            scheme: "digest".to_owned(),
            auth,
        })),
        prop::option::of(".{0,8}").prop_map(Request::GetEphemerals),
    ]
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in request()) {
        let mut bytes = Vec::new();
        request.write(&mut bytes);
        let mut reader = Reader::new(bytes.into());
        prop_assert_eq!(Request::read(request.op(), &mut reader).unwrap(), request);
        prop_assert_eq!(reader.left(), 0);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(op in any::<u8>(), bytes in vec(any::<u8>(), 0..200)) {
        let op = Op::ALL[usize::from(op) % Op::ALL.len()];
        let bytes = Bytes::from(bytes);
        let _ = Request::read(op, &mut Reader::new(bytes.clone()));
        let _ = Response::read(op, &mut Reader::new(bytes.clone()));
        let _ = Txn::read(op.number(), &mut Reader::new(bytes.clone()));
        let _ = ConnectRequest::read(&mut Reader::new(bytes.clone()));
        let _ = ConnectResponse::read(&mut Reader::new(bytes));
    }

    #[test]
    fn a_transaction_is_read_as_it_was_written(path in ".{0,12}", data in data(), acl in acl()) {
        let create = Txn::Create(CreateTxn {
            path: path.clone(), data: data.clone(), acl, ephemeral: true, parent_cversion: 7,
        });
        let set = Txn::SetData(SetDataTxn { path: path.clone(), data, version: 3 });
        let close = Txn::CloseSession(Some(vec![path.clone()]));
        for txn in [create.clone(), set.clone(), close, Txn::Multi(vec![create, set, Txn::Delete(path)])] {
            let mut bytes = Vec::new();
            txn.write(&mut bytes);
            let read = Txn::read(txn.op().number(), &mut Reader::new(bytes.into()));
            prop_assert_eq!(read.unwrap(), txn);
        }
    }
}

#[test]
fn a_response_is_read_as_it_was_written() {
    let stat =
        Stat { czxid: 1, mzxid: 2, version: 3, num_children: 4, pzxid: 5, ..Stat::default() };
    let results = vec![
        OpResult::Created("/a".to_owned()),
        OpResult::Created2("/b".to_owned(), stat.clone()),
        OpResult::Deleted,
        OpResult::Set(stat.clone()),
        OpResult::Checked,
        OpResult::Data(None, stat.clone()),
        OpResult::Names(vec!["x".to_owned()]),
        OpResult::Error(-101),
    ];
    for (op, response) in [
        (Op::Create, Response::Path("/a".to_owned())),
        (Op::Create2, Response::Created("/a".to_owned(), stat.clone())),
        (Op::GetData, Response::Data(Some(Bytes::from_static(b"x")), stat.clone())),
        (Op::GetChildren2, Response::Children(vec!["a".to_owned()], stat.clone())),
        (Op::GetAcl, Response::Acl(Acl::open(), stat)),
        (Op::Multi, Response::Results(results)),
        (Op::Delete, Response::Empty),
    ] {
        let mut bytes = Vec::new();
        response.write(&mut bytes);
        assert_eq!(Response::read(op, &mut Reader::new(bytes.into())).unwrap(), response);
    }
}

/// Worked out by hand from `zookeeper.jute`.
#[test]
fn bytes_are_zookeepers() {
    let connect = ConnectRequest {
        timeout_ms: 30_000,
        password: Some(Bytes::from_static(&[0; 16])),
        read_only: Some(false),
        ..ConnectRequest::default()
    };
    let mut expected = vec![0; 4 + 8];
    expected.extend([0, 0, 0x75, 0x30]);
    expected.extend([0; 8]);
    expected.extend([0, 0, 0, 16]);
    expected.extend([0; 17]);
    assert_eq!(connect.to_bytes(), expected);

    let event = event_frame(EventType::DataChanged, "/a", 0x10);
    let mut expected = vec![0, 0, 0, 30, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x10];
    expected.extend([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 2, b'/', b'a']);
    assert_eq!(event, expected);
}
