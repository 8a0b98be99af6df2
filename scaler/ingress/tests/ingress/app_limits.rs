//! Limits of one app, beside those of the ingress.

use http::Response;
use http_body_util::BodyExt;

use crate::app::{App, full};
use crate::bed::{Bed, replica};
use crate::client::Client;
use crate::policy::policy;

async fn send(bed: &Bed, body: &str) -> u16 {
    let mut client = Client::connect(bed.address).await;
    let head = "POST / HTTP/1.1\r\nHost: hello\r\n";
    client.write(&format!("{head}{body}")).await;
    client.reply().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_bounded_by_its_app_and_by_the_ingress() {
    let mut bed = Bed::with(|options| options.limits.body_bytes = Some(10));
    let tag = |bytes: u32| format!("{{ebbtide.maxRequestBodyBytes: '{bytes}'}}");
    bed.policy = policy("{allowInsecure: true}", &tag(4));
    bed.serve(&[]);
    let large = "Content-Length: 5\r\n\r\n01234";
    assert_eq!(send(&bed, large).await, 413);
    assert!(bed.activations.try_recv().is_err(), "it wakes nothing");
    assert_eq!(bed.meter.read().sums.started, 0);

    let app = App::http1(|request| async move {
        let body = request.into_body().collect().await;
        let length = body.map_or(0, |body| body.to_bytes().len());
        Response::new(full(length.to_string()))
    })
    .await;
    let chunked = |body: &str| format!("Transfer-Encoding: chunked\r\n\r\n{body}\r\n0\r\n\r\n");
    for (most, body, status) in [
        (4, "Content-Length: 4\r\n\r\n0123".to_owned(), 200),
        (4, large.to_owned(), 413),
        (4, chunked("4\r\n0123"), 200),
        (4, chunked("4\r\n0123\r\n1\r\n4"), 413),
        (20, large.to_owned(), 200),
        (20, "Content-Length: 11\r\n\r\n0123456789a".to_owned(), 413),
        (20, chunked("b\r\n0123456789a"), 413),
        (0, "\r\n".to_owned(), 200),
    ] {
        bed.policy = policy("{allowInsecure: true}", &tag(most));
        bed.serve(&[replica(app.address)]);
        assert_eq!(send(&bed, &body).await, status, "{most}: {body}");
    }
}
