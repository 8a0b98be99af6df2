//! A server whose connections are each a function on a thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A running server. It is left running: its threads end with the test's process.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
pub(super) struct Seen {
    connections: AtomicU64,
    /// The head of each request.
    heads: Mutex<Vec<String>>,
}

/// One connection, from the server's side.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    read: Vec<u8>,
    seen: Arc<Seen>,
}

pub(super) const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

impl Server {
    /// Does this on each connection, and then closes it.
    pub(super) fn start(serve: impl Fn(&mut Peer) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let mut peer = Peer {
                    stream: stream.unwrap(),
                    read: Vec::new(),
                    seen: Arc::clone(&shared),
                };
                peer.stream.set_nodelay(true).unwrap();
                let serve = serve.clone();
                thread::spawn(move || serve(&mut peer));
            }
        });
        Self { address, seen }
    }

    /// Answers each request with the same.
    pub(super) fn answering(answer: &'static str) -> Self {
        Self::start(move |peer| {
            while peer.request().is_some() {
                peer.say(answer);
            }
        })
    }

    /// Takes requests and says nothing.
    pub(super) fn silent() -> Self {
        Self::start(|peer| while peer.request().is_some() {})
    }

    pub(super) fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.seen.heads().clone()
    }
}

impl Seen {
    fn heads(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    /// The head of the next request; none if there is no more.
    pub(super) fn request(&mut self) -> Option<String> {
        let end = loop {
            let end = self.read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            if self.more() == 0 {
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        self.seen.heads().push(head.clone());
        Some(head)
    }

    /// Takes so much of a body.
    pub(super) fn body(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length && self.more() > 0 {}
        self.read.drain(..length).collect()
    }

    fn more(&mut self) -> usize {
        let mut some = [0; 4096];
        let length = self.stream.read(&mut some).unwrap_or(0);
        self.read.extend_from_slice(&some[..length]);
        length
    }

    /// Says something; who does not listen any more need not hear it.
    pub(super) fn say(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes());
    }
}
