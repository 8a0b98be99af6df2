//! How far a run is, for someone who watches: a view that fills the terminal, or a line now and then.
//!
//! It runs on a thread of its own and only reads what the engine publishes, so it holds nothing up. Keys do what signals do:
//! `q` and Ctrl-C raise SIGINT, of which the first ends the schedule and the second gives up what is outstanding.

mod histogram;
mod panels;
mod plain;
mod screen;
mod state;
mod view;

use std::io::{self, IsTerminal as _};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use clap::ValueEnum;
use tokio::sync::watch;

use crate::observe::model::Observation;
use crate::record::recording::Live;
use crate::report::head::Head;
use crate::report::model::ThresholdResult;

/// What is shown while a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A view that fills the terminal, if stderr is one; else nothing.
    #[default]
    Auto,
    /// A line on stderr every two seconds.
    Plain,
    /// Nothing.
    Off,
}

/// Holds the thresholds against how far the run is, in their order.
pub(crate) type Judge = Box<dyn Fn(&Live) -> Vec<Judged> + Send>;

/// A threshold of a run that goes on.
#[derive(Clone, Debug)]
pub(crate) enum Judged {
    /// As far as the run is.
    SoFar(ThresholdResult),
    /// This expression asks for what only the whole report has.
    AtTheEnd(String),
}

/// Where what is shown comes from.
pub(crate) struct Sources {
    pub(crate) head: Head,
    /// The view ends when its sender is dropped.
    pub(crate) live: watch::Receiver<Live>,
    /// If the autoscaler is followed.
    pub(crate) observation: Option<watch::Receiver<Observation>>,
    /// If there are thresholds.
    pub(crate) judge: Option<Judge>,
}

/// A view that is shown until it is ended.
pub(crate) struct Shown {
    thread: Option<JoinHandle<io::Result<()>>>,
    /// Dropped to end the thread.
    end: Option<mpsc::Sender<()>>,
}

impl Shown {
    /// Starts what `progress` asks for.
    ///
    /// # Errors
    ///
    /// The thread cannot be started, or the terminal does not do what a view needs.
    pub(crate) fn start(progress: Progress, sources: Sources) -> io::Result<Self> {
        let (end, ended) = mpsc::channel();
        let thread = match progress {
            Progress::Auto if is_terminal() => {
                let screen = screen::Screen::enter()?;
                Some(spawn(move || screen.show(sources, &ended))?)
            }
            Progress::Plain => Some(spawn(move || {
                plain::show(sources, &ended, &mut io::stderr())
            })?),
            Progress::Auto | Progress::Off => None,
        };
        Ok(Self {
            thread,
            end: Some(end),
        })
    }

    /// Whether anything is.
    pub(crate) fn is_shown(&self) -> bool {
        self.thread.is_some()
    }

    /// Ends it and gives the terminal back.
    ///
    /// # Errors
    ///
    /// It could not be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(shown)) => shown,
            Some(Err(_)) => Err(io::Error::other("the view of the run ended with a panic")),
            None => Ok(()),
        }
    }
}

impl Drop for Shown {
    /// Where a run ends with an error, the terminal is given back before that is printed.
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn spawn(
    show: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new().name("view".to_owned()).spawn(show)
}

fn is_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !dumb && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests;
