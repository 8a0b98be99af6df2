//! Who asks the KEDA service, and what they are answered.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use super::model::{List, ScaledObjectStatus};

/// How many are listed when the request does not say.
const DEFAULT_LIMIT: usize = 1000;

/// Query of `GET /api/v1/scaledobjects`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScaledObjectQuery {
    /// Only those that ask for this app, or whose trigger is wrong.
    app: Option<String>,
    /// At most this many, 1,000 if absent.
    limit: Option<usize>,
}

/// Every ScaledObject and ScaledJob that has asked the KEDA service: the last call of each kind,
/// what it was answered, and why.
#[utoipa::path(
    get, path = "/api/v1/scaledobjects", tag = "scaledobjects",
    params(ScaledObjectQuery),
    responses((status = 200, body = List<ScaledObjectStatus>)),
)]
pub(super) async fn scaled_objects(
    State(api): State<Shared>,
    Query(query): Query<ScaledObjectQuery>,
) -> Json<List<ScaledObjectStatus>> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let value = api
        .sources
        .scaler
        .scaled_objects()
        .list(query.app.as_deref(), limit);
    Json(List { value })
}
