//! Abuse of HTTP/2, each by the bytes of it, while another client goes on being served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::app::{App, read_head};
use crate::bed::{Bed, replica, until};
use crate::client::Client;
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GET, GOAWAY, HEADERS, PING, POST,
    PRIORITY, RST_STREAM, SETTINGS, flood, frame,
};
use crate::limits::reached;

/// More frames than any client is allowed.
const MANY: u32 = 200_000;

/// What a GOAWAY says of who sends too much.
const ENHANCE_YOUR_CALM: u32 = 11;

async fn bed() -> (Bed, App) {
    let bed = Bed::new();
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    (bed, app)
}

/// Another client that asks again and again until it is stopped.
struct Other {
    stop: Arc<AtomicBool>,
    task: JoinSet<usize>,
}

impl Other {
    fn start(bed: &Bed) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, address) = (Arc::clone(&stop), bed.address);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut client = Client::connect(address).await;
            let mut served = 0;
            while served < 10 || !stopped.load(Ordering::SeqCst) {
                assert_eq!(client.get("hello").await.status, 200);
                served += 1;
            }
            served
        });
        Self { stop, task }
    }

    async fn was_served(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        assert!(self.task.join_next().await.unwrap().unwrap() >= 10);
    }
}

/// Pieces of a flood, of 100 repetitions each, so that some of it is read before the rest comes.
fn repeated(frame: &[u8]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let piece = frame.repeat(100);
    std::iter::repeat_n(piece, (MANY / 100) as usize)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_that_ask_for_nothing_ends_the_connection() {
    for (what, bytes) in [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(SETTINGS, 0, 0, &[])),
        (
            "SETTINGS with values",
            frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]),
        ),
        ("PRIORITY", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("a kind that is not known", frame(0xfa, 0, 0, b"grease")),
    ] {
        let (bed, _app) = bed().await;
        let other = Other::start(&bed);
        let client = Frames::connect(bed.address, &[]).await;
        let error = flood(client, repeated(&bytes)).await;
        assert!(
            matches!(error, None | Some(ENHANCE_YOUR_CALM)),
            "{what}: {error:?}"
        );
        until(what, || reached(&bed, "frames") == 1).await;
        other.was_served().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_data_is_a_flood_too() {
    let (bed, _app) = bed().await;
    let other = Other::start(&bed);
    let mut client = Frames::connect(bed.address, &[]).await;
    client.write(&frame(HEADERS, END_HEADERS, 1, POST)).await;
    let error = flood(client, repeated(&frame(DATA, 0, 1, &[]))).await;
    assert!(matches!(error, None | Some(ENHANCE_YOUR_CALM)), "{error:?}");
    other.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rapid_reset_ends_the_connection_and_costs_little() {
    let (bed, _app) = bed().await;
    let other = Other::start(&bed);
    let client = Frames::connect(bed.address, &[]).await;
    let cycles = (0..MANY).map(|number| {
        let stream = number * 2 + 1;
        let head = frame(HEADERS, END_HEADERS | END_STREAM, stream, GET);
        [head, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let error = flood(client, cycles).await;
    assert!(matches!(error, None | Some(ENHANCE_YOUR_CALM)), "{error:?}");
    until("it is counted", || reached(&bed, "frames") == 1).await;
    other.was_served().await;
    until("nothing is left of it", || {
        bed.meter.read().sums.in_flight() == 0
    })
    .await;
    let cancelled = bed.meter.read().codes.get(&499).copied().unwrap_or(0);
    assert!(cancelled < 2_000, "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_ends_the_connection() {
    for (what, piece) in [
        ("full", b"\x00\x01a\x01b".repeat(3000)),
        ("empty", Vec::new()),
    ] {
        let (bed, app) = bed().await;
        let other = Other::start(&bed);
        let mut client = Frames::connect(bed.address, &[]).await;
        client.write(&frame(HEADERS, END_STREAM, 1, GET)).await;
        let error = flood(client, repeated(&frame(CONTINUATION, 0, 1, &piece))).await;
        assert!(
            matches!(error, None | Some(ENHANCE_YOUR_CALM)),
            "{what}: {error:?}"
        );
        other.was_served().await;
        assert!(app.connections() <= 2, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused_alone() {
    let (bed, _app) = bed().await;
    let mut client = Frames::connect(bed.address, &[]).await;
    // A literal of 16,000 bytes, five times.
    let literal = [&b"\x00\x01a\x7f\x81\x7c"[..], &[b'x'; 16_000]].concat();
    let head = [GET, &literal].concat();
    client.write(&frame(HEADERS, END_STREAM, 1, &head)).await;
    for _ in 0..3 {
        client.write(&frame(CONTINUATION, 0, 1, &literal)).await;
    }
    client
        .write(&frame(CONTINUATION, END_HEADERS, 1, &literal))
        .await;
    let answer = client.expect(HEADERS, 1).await;
    // :status as a literal that is named by the static table, plain or in Huffman's code.
    let is_431 = [&b"431"[..], &[0x69, 0x90, 0xff]];
    let says = |code: &&[u8]| answer.payload.windows(3).any(|part| part == *code);
    assert!(is_431.iter().any(says), "{answer:?}");
    client
        .write(&frame(HEADERS, END_HEADERS | END_STREAM, 3, GET))
        .await;
    let answer = client.expect(HEADERS, 3).await;
    assert_eq!(answer.payload[0], 0x88, "200 of the static table");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded() {
    let bed = Bed::with(|options| options.limits.streams = 3);
    bed.serve(&[]);
    let mut client = Frames::connect(bed.address, &[]).await;
    let settings = client.expect(SETTINGS, 0).await;
    let says = |name: u8, value: u32| {
        let wanted = [&[0, name][..], &value.to_be_bytes()].concat();
        settings.payload.chunks(6).any(|setting| setting == wanted)
    };
    assert!(says(3, 3), "MAX_CONCURRENT_STREAMS: {settings:?}");
    assert!(says(6, 65_536), "MAX_HEADER_LIST_SIZE: {settings:?}");
    client.write(&frame(SETTINGS, 1, 0, &[])).await;
    for stream in [1, 3, 5, 7] {
        client
            .write(&frame(HEADERS, END_HEADERS | END_STREAM, stream, GET))
            .await;
    }
    let refused = client.expect(RST_STREAM, 7).await;
    assert_eq!(refused.payload, 7_u32.to_be_bytes(), "REFUSED_STREAM");
    until("the others wait", || bed.meter.read().waiting == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_stays_shut_holds_little_and_not_for_ever() {
    let bed = Bed::new();
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let app = App::raw(move |mut stream| {
        let written = Arc::clone(&counted);
        async move {
            read_head(&mut stream).await;
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
            stream.write_all(head).await.unwrap();
            let chunk = [b'a'; 10_000];
            while stream.write_all(&chunk).await.is_ok() {
                written.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let initial_window = (4, 0);
    let mut client = Frames::connect(bed.address, &[initial_window]).await;
    client
        .write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET))
        .await;
    client.expect(HEADERS, 1).await;
    assert_eq!(replica.in_flight(), 1);
    let mut ended = Box::pin(async { while client.next().await.is_some() {} });
    loop {
        tokio::select! {
            () = &mut ended => break,
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                bed.clock.advance(Duration::from_secs(241));
            }
        }
    }
    until("nothing is left of it", || replica.in_flight() == 0).await;
    assert_eq!(reached(&bed, "write-time"), 1);
    // What the system holds of a connection within this machine is a few MiB.
    assert!(written.load(Ordering::SeqCst) < 16 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_told_that_it_ends() {
    let (bed, _app) = bed().await;
    let mut client = Frames::connect(bed.address, &[]).await;
    client
        .write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET))
        .await;
    let answer = client.expect(DATA, 1).await;
    assert_eq!(
        (answer.flags & END_STREAM, &answer.payload[..]),
        (END_STREAM, &b"hello"[..])
    );
    bed.clock.advance(Duration::from_secs(241));
    client.expect(GOAWAY, 0).await;
    assert_eq!(reached(&bed, "idle-time"), 1);
}
