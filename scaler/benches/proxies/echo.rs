//! A server that sends back what comes by WebSocket (RFC 6455), and answers anything else with 200. It takes
//! short messages in one frame each, which is what the benchmark sends.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::roles::number;

/// The key of the RFC's example, and what a server answers to it.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The longest message whose length is in the second byte of its frame.
pub(crate) const LONGEST: u8 = 125;

/// Serves on two ports, for as long as it is left to.
pub(crate) fn serve(arguments: &[String]) {
    let ports = [number(arguments, 0), number(arguments, 1)];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut accepting = JoinSet::new();
        for port in ports {
            accepting.spawn(accept(port));
        }
        accepting.join_all().await;
    });
}

async fn accept(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.expect("the port is free");
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("files are left");
        // A client that goes is no failure of ours.
        connections.spawn(async move { drop(converse(stream).await) });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let head = head(&mut stream).await?.to_ascii_lowercase();
        if head.is_empty() {
            return Ok(());
        }
        if head.contains("upgrade: websocket") {
            break;
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        stream.write_all(answer).await?;
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    echo(&mut stream).await
}

/// Reads a head to its empty line; empty at the end of the stream.
pub(crate) async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(String::new());
        }
    }
    Ok(head)
}

async fn echo(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    let mut frame = [0; 6 + LONGEST as usize];
    loop {
        stream.read_exact(&mut frame[..6]).await?;
        let length = frame[1] & 0x7f;
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mask = [frame[2], frame[3], frame[4], frame[5]];
        let end = 6 + usize::from(length);
        stream.read_exact(&mut frame[6..end]).await?;
        for (byte, mask) in frame[6..end].iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        // The same frame without its mask, in the four bytes of which its beginning fits.
        (frame[4], frame[5]) = (frame[0], length);
        stream.write_all(&frame[4..end]).await?;
    }
}
