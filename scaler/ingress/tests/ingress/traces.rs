//! Trace context on its way to a replica.

use http::Response;

use crate::app::{App, full};
use crate::bed::{Bed, replica};
use crate::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_told_the_trace_and_a_span_of_ours() {
    let bed = Bed::new();
    let app = App::http1(|request| async move {
        let said = |name| {
            let values = request.headers().get_all(name).iter();
            let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
            values.join("|")
        };
        Response::new(full(format!(
            "{} {}",
            said("traceparent"),
            said("tracestate")
        )))
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut spans = Vec::new();
    for _ in 0..2 {
        client
            .write(&format!(
                "GET / HTTP/1.1\r\nHost: hello\r\nConnection: traceparent\r\n\
                 traceparent: 00-{trace}-00f067aa0ba902b7-01\r\ntracestate: a=1\r\n\r\n"
            ))
            .await;
        let body = client.reply().await.body;
        let span = body.strip_prefix(&format!("00-{trace}-")).unwrap();
        let span = span.strip_suffix("-01 a=1").unwrap();
        spans.push(span.to_owned());
    }
    assert_ne!(spans[0], "00f067aa0ba902b7");
    assert_ne!(spans[0], spans[1]);
    let body = client.get("hello").await.body;
    assert!(body.starts_with("00-") && body.ends_with("-03 "), "{body}");
    assert_eq!(body.len(), 56);
}
