//! The certificates of HTTPS at the ingress.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::model::{CertificateInForce, List};
use crate::certificates::CertificateStatus;

/// Every certificate that was given or ordered for HTTPS: the hosts it is for, until when it is valid, and why
/// what its files have now is not in force, if it is not.
#[utoipa::path(
    get, path = "/api/v1/certificates", tag = "certificates",
    responses((status = 200, body = List<CertificateInForce>)),
)]
pub(super) async fn certificates(State(api): State<Shared>) -> Json<List<CertificateInForce>> {
    let present = api.sources.certificates.borrow();
    let value = present.iter().map(shown).collect();
    Json(List { value })
}

fn shown(status: &CertificateStatus) -> CertificateInForce {
    CertificateInForce {
        name: status.name.clone(),
        hosts: status.hosts.clone(),
        not_after: status.not_after.map(|until| until.to_string()),
        problem: status.problem.clone(),
        order_failures: status.order_failures,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::Fixture;

    #[tokio::test]
    async fn each_is_shown_with_its_hosts_its_time_and_what_is_wrong() {
        let fixture = Fixture::new();
        let listed = fixture.get("/api/v1/certificates").await.json();
        let expected = json!([
            {
                "name": "web.crt",
                "hosts": ["www.example.com"],
                "notAfter": "2027-01-15T08:00:00Z",
                "problem": "web.key has no private key in PEM",
            },
            { "name": "new.crt", "hosts": [] },
            { "name": "acme/a.example/tls.crt", "hosts": [], "orderFailures": 3 },
        ]);
        assert_eq!(listed["value"], expected);
        let text = fixture.get("/metrics").await.text;
        for line in [
            "ebbtide_certificate_not_after_seconds{certificate=\"web.crt\"} 1800000000\n",
            "ebbtide_certificate_refused{certificate=\"web.crt\"} 1\n",
            "ebbtide_certificate_refused{certificate=\"new.crt\"} 0\n",
            "ebbtide_certificate_order_failures_total{certificate=\"acme/a.example/tls.crt\"} 3\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
