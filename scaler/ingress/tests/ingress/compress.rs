//! Answers that are compressed on their way.

use std::io::Read;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::{App, full, read_head};
use crate::bed::{Bed, HOST, WORKERS, replica, until};
use crate::limits::reached;
use crate::policy::policy;

fn bed(codings: &str) -> Bed {
    let mut bed = Bed::new();
    let tags = format!("{{ebbtide.compression: '{codings}'}}");
    bed.policy = policy("{allowInsecure: true}", &tags);
    bed
}

/// A GET by a client that takes `accept`. The connection lasts as long as what is returned with the
/// answer.
async fn get(bed: &Bed, accept: &str) -> (Response<Incoming>, JoinSet<()>) {
    let stream = TcpStream::connect(bed.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _broken = connection.await;
    });
    let request = Request::builder()
        .header("host", HOST)
        .header("te", "trailers");
    let request = request.header("accept-encoding", accept);
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    (sender.send_request(request).await.unwrap(), tasks)
}

/// As much of a body as can be read of what has come.
fn decode(coding: &str, compressed: &[u8]) -> Vec<u8> {
    let mut reader: Box<dyn Read + '_> = match coding {
        "gzip" => Box::new(flate2::read::GzDecoder::new(compressed)),
        "br" => Box::new(brotli::Decompressor::new(compressed, 4096)),
        "zstd" => Box::new(zstd::Decoder::new(compressed).unwrap()),
        other => panic!("{other}"),
    };
    let mut data = Vec::new();
    let mut byte = [0];
    while let Ok(1) = reader.read(&mut byte) {
        data.push(byte[0]);
    }
    data
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_texts_are_compressed_for_clients_that_take_it() {
    let bed = bed("zstd, br, gzip");
    let long: &str = "all that is said twice ".repeat(20_000).leak();
    let app = App::http1(move |_| async move {
        let answer = Response::builder().header("content-type", "text/plain");
        answer.header("etag", "\"a\"").body(full(long)).unwrap()
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    for coding in ["gzip", "br", "zstd"] {
        let (answer, _connection) = get(&bed, coding).await;
        let (head, body) = answer.into_parts();
        assert_eq!(text(&head.headers, "content-encoding"), coding);
        assert_eq!(text(&head.headers, "vary"), "accept-encoding");
        assert_eq!(text(&head.headers, "etag"), "W/\"a\"");
        assert_eq!(text(&head.headers, "content-length"), "");
        let body = body.collect().await.unwrap().to_bytes();
        assert!(body.len() < long.len() / 50, "{coding}: {}", body.len());
        assert!(decode(coding, &body) == long.as_bytes(), "{coding}");
    }
    let (answer, _connection) = get(&bed, "deflate").await;
    assert_eq!(text(answer.headers(), "content-encoding"), "");
    assert_eq!(text(answer.headers(), "vary"), "accept-encoding");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), long);
    until("all have ended", || replica.in_flight() == 0).await;
    let reading = bed.meter.read();
    assert_eq!(reading.codes.into_iter().collect::<Vec<_>>(), [(200, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_answers_and_compressed_ones_go_out_as_they_came() {
    let bed = bed("gzip");
    for (body, coding) in [("small".to_owned(), ""), ("x".repeat(5000), "br")] {
        let app = App::http1(move |_| {
            let mut answer = Response::builder().header("content-type", "text/plain");
            if !coding.is_empty() {
                answer = answer.header("content-encoding", coding);
            }
            let answer = answer.body(full(body.clone())).unwrap();
            async move { answer }
        })
        .await;
        bed.serve(&[replica(app.address)]);
        let (answer, _connection) = get(&bed, "gzip").await;
        assert_eq!(text(answer.headers(), "content-encoding"), coding);
        assert!(answer.headers().contains_key("content-length"));
    }
}

/// An app that sends the chunks of an answer, each when it may.
async fn slow(chunks: &'static [&'static str]) -> (App, Arc<Semaphore>) {
    let go_on = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go_on);
    let app = App::raw(move |mut stream| {
        let gate = Arc::clone(&gate);
        async move {
            read_head(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTrailer: x-sum\r\n\
                        Transfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            for chunk in chunks {
                stream.write_all(chunk.as_bytes()).await.unwrap();
                gate.acquire().await.unwrap().forget();
            }
        }
    })
    .await;
    (app, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_app_has_sent_is_not_kept_back_while_it_pauses() {
    for coding in ["gzip", "br", "zstd"] {
        let bed = bed(coding);
        let (app, go_on) =
            slow(&["4\r\none\n\r\n", "4\r\ntwo\n\r\n", "0\r\nX-Sum: 7\r\n\r\n"]).await;
        bed.serve(&[replica(app.address)]);
        let (answer, _connection) = get(&bed, coding).await;
        assert_eq!(text(answer.headers(), "content-encoding"), coding);
        let mut body = answer.into_body();
        let mut read = BytesMut::new();
        for expected in ["one\n", "one\ntwo\n"] {
            while decode(coding, &read) != expected.as_bytes() {
                let frame = body.frame().await.unwrap().unwrap();
                read.extend_from_slice(&frame.into_data().unwrap());
            }
            go_on.add_permits(1);
        }
        let rest = body.collect().await.unwrap();
        assert_eq!(rest.trailers().unwrap()["x-sum"], "7", "{coding}");
        read.extend_from_slice(&rest.to_bytes());
        assert_eq!(decode(coding, &read), b"one\ntwo\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_a_number_answers_go_out_as_they_came() {
    const MOST: usize = 64;
    let bed = bed("gzip");
    let (app, go_on) = slow(&["4\r\none\n\r\n", "0\r\n\r\n"]).await;
    bed.serve(&[replica(app.address)]);
    let mut answers = Vec::new();
    for _ in 0..=MOST * WORKERS.get() {
        answers.push(get(&bed, "gzip").await);
    }
    let is_plain =
        |answer: &Response<Incoming>| text(answer.headers(), "content-encoding").is_empty();
    let plain = answers
        .iter()
        .filter(|(answer, _)| is_plain(answer))
        .count();
    assert!(plain > 0, "there are more than both workers compress");
    assert_eq!(reached(&bed, "compressions"), plain as u64);
    go_on.add_permits(2 * answers.len());
    for (answer, _connection) in answers {
        let is_plain = is_plain(&answer);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = if is_plain {
            body.to_vec()
        } else {
            decode("gzip", &body)
        };
        assert_eq!(body, b"one\n");
    }
    // The places are free again.
    let (answer, _connection) = get(&bed, "gzip").await;
    assert_eq!(text(answer.headers(), "content-encoding"), "gzip");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_not_look_complete_when_it_is_compressed() {
    let bed = bed("gzip");
    let (app, go_on) = slow(&["4\r\none\n\r\n"]).await;
    bed.serve(&[replica(app.address)]);
    let (answer, _connection) = get(&bed, "gzip").await;
    go_on.add_permits(1);
    assert!(answer.into_body().collect().await.is_err());
}
