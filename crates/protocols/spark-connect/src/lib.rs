//! Spark Connect, the protocol between a Spark client and a Spark server, as types. No I/O.
//!
//! Spec: `spark/connect/*.proto` of Apache Spark 4. The structs are written by hand with the public
//! field numbers, so that nothing is generated while building. Fields that nobody here reads are
//! left out; a kind of relation, expression or command that nobody here understands keeps its
//! place as [`Opaque`], so that an error can name it.
//!
//! ```text
//! HTTP/2 body ─▶ [grpc::Frames] ─▶ message bytes ─▶ [decode] ─▶ ExecutePlanRequest, ConfigRequest, …
//! HTTP/2 body ◀─ [grpc::frame]  ◀───────────────────────────── ExecutePlanResponse, …
//! trailers    ◀─ [status::Status]
//! ```
//!
//! Invariants: no input panics; messages inside messages have a limit (a hundred), so a plan cannot
//! exhaust a stack; lengths are checked before anything is allocated for them.

pub mod grpc;
pub mod status;

mod analyze;
mod catalog;
mod commands;
mod execute;
mod expressions;
mod frames;
mod relations;
mod session;
mod streaming;
mod types;

pub use analyze::*;
pub use catalog::*;
pub use commands::*;
pub use execute::*;
pub use expressions::*;
pub use frames::*;
pub use relations::*;
pub use session::*;
pub use streaming::*;
pub use types::*;

pub use prost::Message;

/// The service's full name, the first part of each call's path.
pub const SERVICE: &str = "spark.connect.SparkConnectService";

/// A message whose kind is known and whose content nobody here reads.
#[derive(Clone, PartialEq, Eq, ::prost::Message)]
pub struct Opaque {}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(#[from] prost::DecodeError);

/// Reads a message; the error says which field is wrong.
pub fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    Ok(M::decode(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT value FROM <kafka>` as pyspark 4.2 sends it.
    fn plan() -> Plan {
        let read = Read {
            is_streaming: true,
            read_type: Some(ReadType::DataSource(ReadDataSource {
                format: Some("kafka".to_owned()),
                options: [("subscribe".to_owned(), "users".to_owned())].into(),
                ..ReadDataSource::default()
            })),
        };
        let input = Relation {
            common: Some(RelationCommon { plan_id: Some(1) }),
            rel_type: Some(RelType::Read(read)),
        };
        let text = ExpressionString { expression: "CAST(value AS STRING)".to_owned() };
        let project = Project {
            input: Some(Box::new(input)),
            expressions: vec![Expression { expr_type: Some(ExprType::ExpressionString(text)) }],
        };
        let root = Relation {
            common: Some(RelationCommon { plan_id: Some(2) }),
            rel_type: Some(RelType::Project(Box::new(project))),
        };
        Plan { op_type: Some(PlanOp::Root(root)) }
    }

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let plan = plan();
        assert_eq!(decode::<Plan>(&plan.encode_to_vec()).unwrap(), plan);
    }

    #[test]
    fn a_kind_that_nobody_reads_keeps_its_name() {
        // `MlRelation` (300) with a field inside.
        let mut bytes = Vec::new();
        prost::encoding::encode_key(300, prost::encoding::WireType::LengthDelimited, &mut bytes);
        bytes.extend_from_slice(&[3, 0x0a, 1, b'x']);
        let relation: Relation = decode(&bytes).unwrap();
        assert_eq!(relation.rel_type.unwrap().name(), "ml_relation");
    }

    #[test]
    fn a_plan_deeper_than_the_limit_is_refused_not_followed() {
        let mut relation = Relation::default();
        for _ in 0..200 {
            let limit = Limit { input: Some(Box::new(relation)), limit: 1 };
            relation = Relation { common: None, rel_type: Some(RelType::Limit(Box::new(limit))) };
        }
        let error = decode::<Relation>(&relation.encode_to_vec()).unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = decode::<Plan>(&bytes);
            let _ = decode::<ExecutePlanRequest>(&bytes);
            let _ = decode::<AnalyzePlanRequest>(&bytes);
            let _ = decode::<AddArtifactsRequest>(&bytes);
        }
    }
}
