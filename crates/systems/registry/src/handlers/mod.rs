//! Confluent's REST interface: one file per resource.
//!
//! A handler translates: path, query and body to a question or a write, and its outcome to a body.
//! The meaning is in [`crate::state`]. Every resource also stands under `/contexts/{context}`, where
//! subjects without a context are in that one.
//! Reference: <https://docs.confluent.io/platform/current/schema-registry/develop/api.html>

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};

use crate::config::{Config, Profile};
use crate::error::RegistryError;
use crate::service::Service;

mod answer;
mod compatibility;
mod config;
mod contexts;
mod guards;
mod guids;
mod health;
mod ids;
mod metadata;
mod mode;
mod request;
mod schemas;
mod subjects;
mod versions;

use answer::Refusal;
pub(crate) use request::SubjectPath;

/// What every handler has.
pub(crate) struct App {
    service: Arc<Service>,
    profile: Profile,
    request_bytes_max: usize,
}

type Shared = axum::extract::State<Arc<App>>;

impl App {
    pub(crate) fn new(service: Arc<Service>, config: &Config) -> Arc<App> {
        let request_bytes_max = config.request_bytes_max.as_usize();
        Arc::new(App { service, profile: config.profile, request_bytes_max })
    }
}

/// All resources, behind what every request passes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let router = Router::new().route("/", get(metadata::root).post(metadata::root));
    let router = both(router, "/contexts", get(contexts::list));
    let router = both(router, "/contexts/{context}", delete(contexts::delete));
    router
        .route("/health", get(health::health))
        .merge(resources())
        .nest("/contexts/{context}", resources())
        .fallback(async || Refusal(RegistryError::no_such_path()))
        .method_not_allowed_fallback(async || {
            Refusal(RegistryError::http(405, "HTTP 405 Method Not Allowed"))
        })
        .layer(from_fn_with_state(Arc::clone(&app), guards::guard))
        .with_state(app)
}

fn resources() -> Router<Arc<App>> {
    let routes: [(&str, MethodRouter<Arc<App>>); 24] = [
        ("/schemas", get(schemas::list)),
        ("/schemas/types", get(schemas::types)),
        ("/schemas/ids/{id}", get(ids::schema)),
        ("/schemas/ids/{id}/schema", get(ids::text)),
        ("/schemas/ids/{id}/subjects", get(ids::subjects)),
        ("/schemas/ids/{id}/versions", get(ids::versions)),
        ("/schemas/guids/{guid}", get(guids::schema)),
        ("/schemas/guids/{guid}/ids", get(guids::ids)),
        ("/subjects", get(subjects::list)),
        ("/subjects/{subject}", post(subjects::lookup).delete(subjects::delete)),
        ("/subjects/{subject}/metadata", get(subjects::latest_with_metadata)),
        ("/subjects/{subject}/versions", get(versions::list).post(versions::register)),
        ("/subjects/{subject}/versions/{version}", get(versions::get).delete(versions::delete)),
        ("/subjects/{subject}/versions/{version}/schema", get(versions::text)),
        ("/subjects/{subject}/versions/{version}/referencedby", get(versions::referenced_by)),
        ("/compatibility/subjects/{subject}/versions", post(compatibility::with_level)),
        ("/compatibility/subjects/{subject}/versions/{version}", post(compatibility::with_version)),
        ("/config", get(config::get).put(config::put).delete(config::delete)),
        ("/config/{subject}", get(config::get).put(config::put).delete(config::delete)),
        ("/mode", get(mode::get).put(mode::put).delete(mode::delete)),
        ("/mode/{subject}", get(mode::get).put(mode::put).delete(mode::delete)),
        ("/v1/metadata/id", get(metadata::id)),
        ("/v1/metadata/version", get(metadata::version)),
        ("/v1/metadata/deployment", get(metadata::deployment)),
    ];
    routes.into_iter().fold(Router::new(), |router, (path, methods)| both(router, path, methods))
}

/// A path with and without a slash at its end.
fn both(router: Router<Arc<App>>, path: &str, methods: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}
