//! `AnalyzePlan`: what a plan would give, and small services of a server.

use std::sync::Arc;

use tidemill_spark_connect::{
    self as proto, Analyze, AnalyzePlanRequest, AnalyzePlanResponse, Analyzed, Plan, PlanOp,
};

use crate::spark::error::{Result, SparkError};
use crate::spark::frame::Frame;
use crate::spark::resolve::Resolver;
use crate::spark::service::Service;
use crate::spark::sessions::Session;
use crate::spark::types;

/// The release whose protocol this is: clients check it.
const SPARK_VERSION: &str = "4.1.0";

pub(in crate::spark) async fn handle(
    service: &Arc<Service>,
    session: &Arc<Session>,
    request: AnalyzePlanRequest,
) -> Result<AnalyzePlanResponse> {
    let asked = request.analyze;
    let asked = asked.ok_or_else(|| SparkError::unsupported("an analysis of unknown kind"))?;
    let frame = |plan: Option<Plan>| async move {
        let relation = match plan.and_then(|plan| plan.op_type) {
            Some(PlanOp::Root(relation)) => relation,
            _ => return Err(SparkError::invalid_plan("an analysis of no relation")),
        };
        Resolver::new(&service.core, session).frame(&relation).await
    };
    let result = match asked {
        Analyze::Schema(asked) => {
            let schema = frame(asked.plan).await?.schema();
            Analyzed::Schema(proto::AnalyzedSchema {
                schema: Some(types::schema_to_proto(&schema)),
            })
        }
        Analyze::Explain(asked) => {
            let explain_string = explain(&frame(asked.plan).await?);
            Analyzed::Explain(proto::AnalyzedExplain { explain_string })
        }
        Analyze::TreeString(asked) => {
            let schema = frame(asked.plan).await?.schema();
            let tree_string = types::tree_string(&schema, asked.level);
            Analyzed::TreeString(proto::AnalyzedTreeString { tree_string })
        }
        Analyze::IsLocal(_) => Analyzed::IsLocal(proto::AnalyzedIsLocal { is_local: false }),
        Analyze::IsStreaming(asked) => {
            let is_streaming = frame(asked.plan).await?.streaming;
            Analyzed::IsStreaming(proto::AnalyzedIsStreaming { is_streaming })
        }
        Analyze::InputFiles(_) => Analyzed::InputFiles(proto::AnalyzedInputFiles::default()),
        Analyze::SparkVersion(_) => {
            let version = SPARK_VERSION.to_owned();
            Analyzed::SparkVersion(proto::AnalyzedSparkVersion { version })
        }
        Analyze::DdlParse(asked) => {
            let parsed = Some(types::to_proto(&types::parse(&asked.ddl_string)?));
            Analyzed::DdlParse(proto::AnalyzedDdlParse { parsed })
        }
        Analyze::JsonToDdl(asked) => {
            let ddl_string = types::ddl_of(&types::parse(&asked.json_string)?);
            Analyzed::JsonToDdl(proto::AnalyzedJsonToDdl { ddl_string })
        }
        Analyze::SameSemantics(asked) => {
            let (one, two) = (frame(asked.target_plan).await?, frame(asked.other_plan).await?);
            let result = one.plan == two.plan;
            Analyzed::SameSemantics(proto::AnalyzedSameSemantics { result })
        }
        Analyze::SemanticHash(asked) => {
            let shown = frame(asked.plan).await?.plan.display_indent().to_string();
            let result = crc32c::crc32c(shown.as_bytes()) as i32;
            Analyzed::SemanticHash(proto::AnalyzedSemanticHash { result })
        }
        // A frame is computed each time it is asked for: there is nothing to keep.
        Analyze::Persist(_) => Analyzed::Persist(proto::AnalyzedPersist {}),
        Analyze::Unpersist(_) => Analyzed::Unpersist(proto::AnalyzedUnpersist {}),
        Analyze::GetStorageLevel(_) => {
            let storage_level = Some(proto::StorageLevel { replication: 1, ..Default::default() });
            Analyzed::GetStorageLevel(proto::AnalyzedGetStorageLevel { storage_level })
        }
    };
    Ok(AnalyzePlanResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        result: Some(result),
    })
}

fn explain(frame: &Frame) -> String {
    format!("== Physical Plan ==\n{}\n", frame.plan.display_indent())
}
