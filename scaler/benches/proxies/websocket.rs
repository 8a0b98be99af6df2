//! Messages over WebSocket, each of which comes back.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::certificate::HOST;
use crate::echo::{ACCEPT, KEY, LONGEST, head};
use crate::found::Found;
use crate::roles::number;

/// As many as the scenarios of requests have.
const CONNECTIONS: usize = 64;

/// On each of a number of connections a message is sent once the one before has come back. Takes a port and
/// a number of seconds.
pub(crate) fn load(arguments: &[String]) {
    let (port, seconds) = (number(arguments, 0), number(arguments, 1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let found = runtime.expect("a runtime").block_on(async {
        let mut opened = Vec::new();
        for _ in 0..CONNECTIONS {
            opened.push(open(port).await.expect("the proxy switches"));
        }
        let began = Instant::now();
        let end = began + Duration::from_secs(seconds);
        let mut conversations = JoinSet::new();
        for stream in opened {
            conversations.spawn(converse(stream, end));
        }
        let mut times = Vec::new();
        while let Some(one) = conversations.join_next().await {
            times.extend(one.expect("it ends").expect("messages come back"));
        }
        Found::of(times, began.elapsed().as_secs_f64())
    });
    println!("{}", found.said());
}

async fn open(port: u16) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let request = format!(
        "GET /websocket HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let head = head(&mut stream).await?;
    assert!(
        head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT),
        "{head:?}"
    );
    Ok(stream)
}

/// The microseconds that each message was away.
async fn converse(mut stream: BufReader<TcpStream>, end: Instant) -> io::Result<Vec<f64>> {
    // A final frame of binary data, with a mask that changes nothing.
    let mut sent = [b'x'; 6 + LONGEST as usize];
    sent[..6].copy_from_slice(&[0x82, 0x80 | LONGEST, 0, 0, 0, 0]);
    let mut came = [0; 2 + LONGEST as usize];
    let mut times = Vec::new();
    let mut number = 0_u64;
    loop {
        let before = Instant::now();
        if before >= end {
            return Ok(times);
        }
        number += 1;
        sent[6..14].copy_from_slice(&number.to_be_bytes());
        stream.write_all(&sent).await?;
        stream.read_exact(&mut came).await?;
        assert!(came[..2] == [0x82, LONGEST] && came[2..] == sent[6..]);
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
}
