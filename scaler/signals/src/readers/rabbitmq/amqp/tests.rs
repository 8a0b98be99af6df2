use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::{RuleForm, ScaleRule};
use ebbtide_core::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::clock::WallClock;
use crate::parameters::Lookup;
use crate::readers::read_once;

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// A clock that stands, and no secrets.
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(0)
    }
}

impl WallClock for Nothing {
    fn wall_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

impl Lookup for Nothing {
    fn secret(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }

    fn variable(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }
}

/// Why nothing is read of a server that answers the first bytes with these, and then closes the
/// connection or says no more.
async fn error(answer: &'static [u8], closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metadata = [
        ("queueName", "orders".to_owned()),
        ("host", format!("amqp://a:hunter2@{address}/")),
        ("timeout", "300".to_owned()),
    ];
    let rule = ScaleRule {
        name: "orders".to_owned(),
        form: RuleForm::Custom,
        scaler: "rabbitmq".to_owned(),
        metadata: BTreeMap::from(metadata.map(|(key, value)| (key.to_owned(), value))),
        auth: Vec::new(),
        identity: None,
    };
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut header = [0; 8];
        stream.read_exact(&mut header).await.unwrap();
        assert_eq!(&header, b"AMQP\0\0\x09\x01");
        stream.write_all(answer).await.unwrap();
        if !closes {
            // Until the reader closes it, which it does with lapin's last word or without.
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
    };
    let clock = Arc::new(Nothing);
    let (read, ()) = tokio::join!(read_once(&rule, &Nothing, clock, None), server);
    read.unwrap_err().to_string()
}

/// Whether lapin has a thread in this process.
fn has_thread() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let mut names = threads.filter_map(|thread| {
        // One that has ended has none.
        std::fs::read_to_string(thread.ok()?.path().join("comm")).ok()
    });
    names.any(|name| name.starts_with("lapin"))
}

#[tokio::test]
async fn what_speaks_otherwise_or_not_at_all_is_an_error_and_leaves_no_thread() {
    let closed = "host: the server closed the connection";
    let late = "timeout: there was no answer within 300 ms";
    let other = "host: what is there does not speak AMQP 0-9-1";
    for (answer, closes, expected) in [
        (&b""[..], true, closed),
        (b"", false, late),
        (b"AMQP\0\x01\0\0", true, other),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", true, other),
        // The first part of a frame, of which the rest never comes.
        (b"\x01\0\0\0\0\x01\x58", false, late),
        (b"\x01\0\0\0\0\x01\x58", true, closed),
    ] {
        let ended = timeout(PATIENCE, async {
            let error = error(answer, closes).await;
            assert_eq!(error, expected, "{answer:?} {closes}");
            while has_thread() {
                sleep(PAUSE).await;
            }
        });
        ended.await.expect("the connection and lapin's thread end");
    }
}
