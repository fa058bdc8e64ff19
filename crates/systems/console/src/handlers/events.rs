//! `GET /api/v1/events`: one stream for all that lives on a page, once a second.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{streamed, too_many_streams};
use crate::app::App;
use crate::error::ApiError;

/// First `history`, then a `snapshot` now and with every change.
pub(super) async fn events(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let looking = app.watch.look(app.config.streams_max).map_err(|_| too_many_streams())?;
    let history = app.watch.history_event();
    let mut receiver = app.watch.events();
    receiver.mark_changed();
    let stop = app.tasks.shutdown();
    let snapshots = stream::unfold((receiver, looking), |(mut receiver, looking)| async move {
        receiver.changed().await.ok()?;
        let event = receiver.borrow_and_update().clone();
        Some((event, (receiver, looking)))
    });
    let events = stream::once(async move { history })
        .chain(snapshots.filter(|event: &Bytes| std::future::ready(!event.is_empty())))
        .map(Ok)
        .take_until(async move { stop.requested().await });
    Ok(streamed("text/event-stream", events))
}
