//! Requests name a loopback host. A page of another site that makes its name point to this machine
//! (DNS rebinding) sends its own name, and is refused.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tidemill_runtime::is_loopback_host;

use super::answer::Refusal;

pub(super) async fn only_loopback(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_loopback_host) {
        return next.run(request).await;
    }
    Refusal::bad_request("the Host header names no loopback address").into_response()
}
