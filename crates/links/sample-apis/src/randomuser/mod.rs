//! A look-alike of <https://randomuser.me/api/> 1.4: `GET /api/` and `GET /api/1.4/`.
//!
//! The same fields in the same order with the same types (a postcode is a number in most
//! countries and text in some), the same parameters, the same people for the same seed. Not the
//! same people as the original's; not served are YAML, XML, the parameters `lego`, `dl` and
//! `callback`, and the older versions. Proof of the shape: `shape.json`, measured from the
//! original's own generator. The source of the original: <https://github.com/RandomAPI/Randomuser.me-Node>.

mod draw;
mod faults;
mod identity;
mod nationalities;
mod password;
mod people;
mod portraits;
mod render;
mod request;
#[cfg(test)]
mod tests;
mod transliterate;

pub use faults::{Faults, FaultsError};

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidemill_runtime::{Shutdown, World};

use crate::server::error;
use faults::{Fault, RequestCounts, Verdict};
use request::PeopleRequest;

/// How long a request that shall time out is held; then it is answered with 504.
const TIMEOUT_HOLD: Duration = Duration::from_secs(60);

/// What `garbage` sends: the error page of a proxy, under a content type that promises JSON.
const GARBAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body>";

/// What all requests share.
struct Service {
    faults: Faults,
    counts: Mutex<RequestCounts>,
    world: World,
    shutdown: Shutdown,
}

/// The service; `faults` apply to requests that order none.
pub(crate) fn router(faults: Faults, world: World, shutdown: Shutdown) -> Router {
    let counts = Mutex::default();
    Router::new()
        .route("/api", get(people))
        .route("/api/", get(people))
        .route("/api/{version}", get(people_of_version))
        .route("/api/{version}/", get(people_of_version))
        .route("/api/portraits/{folder}/{file}", get(portraits::large))
        .route("/api/portraits/{scale}/{folder}/{file}", get(portraits::small))
        .route("/health", get(health))
        .with_state(Arc::new(Service { faults, counts, world, shutdown }))
}

async fn health(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(json!({
        "status": "healthy",
        "api": "randomuser 1.4",
        "faults": service.faults.to_string(),
    }))
}

async fn people_of_version(
    Path(version): Path<String>,
    state: State<Arc<Service>>,
    query: Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    match version.as_str() {
        "1.4" => people(state, query, headers).await,
        other => error(
            StatusCode::NOT_FOUND,
            format_args!("version {other} is not served here: /api/ or /api/1.4/"),
        ),
    }
}

async fn people(
    State(service): State<Arc<Service>>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let request = match PeopleRequest::parse(&pairs) {
        Ok(request) => request,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, wrong),
    };
    let seed = request.seed.clone().unwrap_or_else(|| fresh_seed(&service.world));
    let Verdict { latency, fault } = service.judge(&request, &seed);
    service.wait(latency).await;
    let ordered = "this failure was ordered by fault=";
    let found = match fault {
        Some(Fault::Status(code)) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return error(status, format_args!("{ordered}{code}"));
        }
        Some(Fault::Timeout) => {
            service.wait(TIMEOUT_HOLD).await;
            return error(StatusCode::GATEWAY_TIMEOUT, format_args!("{ordered}timeout"));
        }
        Some(Fault::Garbage) => return answer("application/json; charset=utf-8", GARBAGE),
        Some(Fault::Empty) => Vec::new(),
        None => people::page(&request, &seed, &portraits_url(&headers)),
    };
    let (content_type, body) = render::answer(&request, &seed, found);
    answer(content_type, body)
}

impl Service {
    fn judge(&self, request: &PeopleRequest, seed: &str) -> Verdict {
        // A seed that was drawn has had no other request and gets none.
        let count = if request.seed.is_some() { self.counts.lock().next(seed) } else { 0 };
        request.faults.as_ref().unwrap_or(&self.faults).judge(seed, count)
    }

    /// Waits, but not beyond the end of the service.
    async fn wait(&self, time: Duration) {
        if !time.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = self.shutdown.requested() => {}
            }
        }
    }
}

/// 16 hexadecimal digits.
fn fresh_seed(world: &World) -> String {
    format!("{:016x}", world.random.u64())
}

/// Pictures are where the request went to; the original names its own site.
fn portraits_url(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}/api/portraits", host.unwrap_or("localhost"))
}

/// Headers as the original's: never cached, and readable by pages of other origins.
fn answer(content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, body).into_response()
}
