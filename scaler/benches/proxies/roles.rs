//! What the benchmark's own program does besides: loads and servers that have to run on a core of their own
//! are processes of it, told what to be by their first argument.

use std::path::PathBuf;
use std::process::Command;

use crate::{cold, echo, handshake, websocket};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A server that sends back what comes by WebSocket.
    Echo,
    /// A client of it.
    Websocket,
    /// A client that makes a new connection by TLS for each request.
    Handshake,
    /// An app that is started when it is asked for.
    App,
    /// A client that asks such apps.
    Cold,
}

impl Role {
    const ALL: [Self; 5] = [
        Self::Echo,
        Self::Websocket,
        Self::Handshake,
        Self::App,
        Self::Cold,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "be-echo",
            Self::Websocket => "be-websocket",
            Self::Handshake => "be-handshake",
            Self::App => "be-app",
            Self::Cold => "be-cold",
        }
    }

    /// What this process is to be, if it is not the benchmark.
    pub(crate) fn of_this_process() -> Option<Self> {
        let name = std::env::args().nth(1)?;
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Does it, with the arguments that follow.
    pub(crate) fn play(self) {
        let arguments: Vec<String> = std::env::args().skip(2).collect();
        match self {
            Self::Echo => echo::serve(&arguments),
            Self::Websocket => websocket::load(&arguments),
            Self::Handshake => handshake::load(&arguments),
            Self::App => cold::app(),
            Self::Cold => cold::load(&arguments),
        }
    }

    /// A process that does it.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(program());
        command.arg(self.name());
        command
    }
}

/// This program's file.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().expect("this program has a file")
}

/// One of a role's arguments, as a number.
pub(crate) fn number<T: std::str::FromStr>(arguments: &[String], place: usize) -> T {
    let number = arguments.get(place).and_then(|text| text.parse().ok());
    number.expect("the benchmark gives a number")
}
