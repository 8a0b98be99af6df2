//! Where the lines go.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt, Stdout, stdout};

/// What the access log is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file, which is appended to.
    File(PathBuf),
}

impl FromStr for Destination {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("give a file, or - for standard output"),
            "-" => Ok(Self::Stdout),
            path => Ok(Self::File(path.into())),
        }
    }
}

/// What lines are written to now.
pub(super) enum Output {
    Stdout(Lines<Stdout>),
    File(PathBuf, Lines<File>),
}

impl Output {
    /// # Errors
    /// When a file cannot be opened.
    pub(super) fn open(destination: &Destination) -> anyhow::Result<Self> {
        let path = match destination {
            Destination::Stdout => return Ok(Self::Stdout(Lines::new(stdout()))),
            Destination::File(path) => path,
        };
        let options = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path);
        let file = options.with_context(|| {
            let path = path.display();
            format!("--access-log: {path} cannot be written; name a file in a folder that is there")
        })?;
        Ok(Self::File(path.clone(), Lines::new(File::from_std(file))))
    }

    /// Opens a file again, which somebody may have moved.
    ///
    /// # Errors
    /// When it cannot be opened; the one that was open stays.
    pub(super) async fn reopen(&mut self) -> io::Result<()> {
        if let Self::File(path, lines) = self {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).open(&*path).await?;
            *lines = Lines::new(file);
        }
        Ok(())
    }

    /// Writes whole lines.
    ///
    /// # Errors
    /// When not all of it could be written. What comes next begins on a line of its own.
    pub(super) async fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(lines) => lines.write(text).await,
            Self::File(_, lines) => lines.write(text).await,
        }
    }
}

/// Lines, of which the last one may have broken off.
pub(super) struct Lines<W> {
    to: W,
    is_torn: bool,
}

impl<W: AsyncWrite + Unpin> Lines<W> {
    fn new(to: W) -> Self {
        Self { to, is_torn: false }
    }

    async fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let was_torn = std::mem::replace(&mut self.is_torn, true);
        if was_torn {
            self.to.write_all(b"\n").await?;
        }
        self.to.write_all(text).await?;
        self.to.flush().await?;
        self.is_torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// Takes two bytes, is full once, and then takes everything.
    #[derive(Default)]
    struct Disk {
        written: Vec<u8>,
        was_full: bool,
    }

    impl AsyncWrite for Disk {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if !self.was_full && self.written.len() == 2 {
                self.was_full = true;
                return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
            }
            let taken = if self.was_full { bytes } else { &bytes[..2] };
            self.written.extend(taken);
            Poll::Ready(Ok(taken.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_line_that_broke_off_spoils_no_other() {
        let mut lines = Lines::new(Disk::default());
        assert!(lines.write(b"one\n").await.is_err());
        lines.write(b"two\n").await.unwrap();
        lines.write(b"three\n").await.unwrap();
        assert_eq!(lines.to.written, b"on\ntwo\nthree\n");
    }
}
