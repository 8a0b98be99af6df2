//! Who asks the KEDA service, and what they are answered.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::model::{List, ScaledObjectStatus};

/// Every ScaledObject and ScaledJob that has asked the KEDA service: the last call of each kind,
/// what it was answered, and why.
#[utoipa::path(
    get, path = "/api/v1/scaledobjects", tag = "scaledobjects",
    responses((status = 200, body = List<ScaledObjectStatus>)),
)]
pub(super) async fn scaled_objects(State(api): State<Shared>) -> Json<List<ScaledObjectStatus>> {
    let value = api.sources.scaler.scaled_objects().list();
    Json(List { value })
}
