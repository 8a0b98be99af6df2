//! An HTTP/2 client that writes the frames that it is told, right or wrong.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// The head of `GET /` to `hello`, by HPACK's static table and one literal.
pub(crate) const GET: &[u8] = b"\x82\x86\x84\x01\x05hello";

/// The head of `POST /` to `hello`.
pub(crate) const POST: &[u8] = b"\x83\x86\x84\x01\x05hello";

/// A frame as it is on the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Frames {
    pub(crate) reader: OwnedReadHalf,
    pub(crate) writer: OwnedWriteHalf,
}

impl Frames {
    /// Connects, with these settings: each a number and a value.
    pub(crate) async fn connect(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let (reader, writer) = TcpStream::connect(address).await.unwrap().into_split();
        let mut this = Self { reader, writer };
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let hello = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, 0, &settings),
        ];
        this.write(&hello.concat()).await;
        this
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.unwrap();
    }

    /// The next frame; none if the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        read(&mut self.reader).await
    }

    /// The next frame of this kind on this stream, whatever comes before it.
    pub(crate) async fn expect(&mut self, kind: u8, stream: u32) -> Frame {
        let search = async {
            loop {
                let frame = self.next().await.expect("a frame");
                if frame.kind == kind && frame.stream == stream {
                    return frame;
                }
            }
        };
        let found = timeout(Duration::from_secs(20), search).await;
        found.expect("the frame comes")
    }
}

async fn read(reader: &mut OwnedReadHalf) -> Option<Frame> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    reader.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind,
        flags,
        stream: u32::from_be_bytes(stream),
        payload,
    })
}

/// Writes `flood` until the connection ends, and reads meanwhile. Returns the error of the GOAWAY if
/// one came.
pub(crate) async fn flood(client: Frames, mut flood: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    let Frames {
        mut reader,
        mut writer,
    } = client;
    let write = async {
        for bytes in flood.by_ref() {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    let read = async {
        let mut error = None;
        while let Some(frame) = read(&mut reader).await {
            if frame.kind == GOAWAY {
                error = frame
                    .payload
                    .get(4..8)
                    .and_then(|code| code.try_into().ok());
            }
        }
        error.map(u32::from_be_bytes)
    };
    let both = async {
        tokio::pin!(read);
        tokio::select! {
            error = &mut read => error,
            () = write => read.await,
        }
    };
    let ended = timeout(Duration::from_secs(60), both).await;
    ended.expect("the connection ends")
}
