//! The access log: one JSON object a line for each request, to a file or standard output.

mod line;
mod output;

use std::sync::Arc;

use ebbtide_ingress::{AccessRecord, AccessRecords};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use crate::log::Said;
use crate::stopping::told;

pub use output::Destination;
use output::Output;

/// Lines that are written at once at most.
const BATCH: usize = 256;

/// Writes the access log. One task owns it.
pub struct AccessLogWriter {
    records: AccessRecords,
    output: Output,
    hangup: Option<Signal>,
    clock: Arc<SystemClock>,
    said: Said,
}

impl AccessLogWriter {
    /// Opens the log. A file is opened again when the process gets SIGHUP, for who rotates it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(
        destination: &Destination,
        records: AccessRecords,
        clock: Arc<SystemClock>,
    ) -> anyhow::Result<Self> {
        let hangup = matches!(destination, Destination::File(_));
        let hangup = hangup.then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            records,
            output: Output::open(destination)?,
            hangup,
            clock,
            said: Said::default(),
        })
    }

    /// Writes until told to stop, and then what is left.
    pub fn spawn(self, tasks: &mut JoinSet<()>, stopped: watch::Receiver<bool>) {
        tasks.spawn(self.run(stopped));
    }

    async fn run(mut self, stopped: watch::Receiver<bool>) {
        let mut stopped = Box::pin(told(stopped));
        let mut batch = Vec::with_capacity(BATCH);
        let mut stopping = false;
        loop {
            tokio::select! {
                count = self.records.next(&mut batch, BATCH) => match count {
                    0 => return,
                    _ => self.write(&mut batch).await,
                },
                () = hung_up(&mut self.hangup) => self.reopen().await,
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    self.records.close();
                }
            }
        }
    }

    async fn write(&mut self, batch: &mut Vec<AccessRecord>) {
        let mut text = Vec::with_capacity(batch.len() * 512);
        for record in batch.iter() {
            line::write(&mut text, record, &self.clock);
        }
        let lines = batch.len() as u64;
        batch.clear();
        match self.output.write(&text).await {
            Ok(()) => {
                self.records.wrote(lines);
                self.said.clear();
            }
            Err(error) => {
                self.records.lost(lines);
                self.say(&format!("the access log cannot be written: {error}"));
            }
        }
    }

    async fn reopen(&mut self) {
        match self.output.reopen().await {
            Ok(()) => tracing::info!("the access log was opened again"),
            Err(error) => self.say(&format!(
                "the access log cannot be opened again and goes on in its old file: {error}"
            )),
        }
    }

    fn say(&mut self, message: &str) {
        if self.said.is_news(message) {
            tracing::warn!("{message}");
        }
    }
}

/// Waits for SIGHUP, for ever if it is not taken in.
async fn hung_up(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
