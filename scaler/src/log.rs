//! Ebbtide's own log, on standard error.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable with what is logged, in the words of `tracing`: `debug`, `ebbtide=debug,info`.
pub const FILTER: &str = "EBBTIDE_LOG";

/// The client of RabbitMQ would log what it sends, passwords too, and what its reader says anyway.
const SILENT: &str = "lapin=off";

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; with colours if standard error is a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. Once in a process.
///
/// # Errors
/// When `EBBTIDE_LOG` is not a filter, or logging was started before.
pub fn init(format: LogFormat) -> anyhow::Result<()> {
    let filter = std::env::var(FILTER).unwrap_or_default();
    let colours = std::io::stderr().is_terminal() && crate::cli::colours_wanted();
    subscriber(format, &filter, colours, std::io::stderr)?
        .try_init()
        .context("logging was started before")
}

/// What was said last, so that what is still so is not said again and again.
#[derive(Debug, Default)]
pub(crate) struct Said(Option<String>);

impl Said {
    /// Takes note of `message`. Returns whether it is another one than the last.
    pub(crate) fn is_news(&mut self, message: &str) -> bool {
        let is_news = self.0.as_deref() != Some(message);
        if is_news {
            self.0 = Some(message.to_owned());
        }
        is_news
    }

    /// It is not so any more.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    colours: bool,
    writer: W,
) -> anyhow::Result<Box<dyn tracing::Subscriber + Send + Sync>>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = if filter.is_empty() { "info" } else { filter };
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("{FILTER}={filter:?} is not a filter; try {FILTER}=debug"))?
        .add_directive(SILENT.parse()?);
    // A line that cannot be written is lost: reporting that on standard error would panic when it
    // is standard error that is closed.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(colours)
        .log_internal_errors(false);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_target(false).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is written, or fails like a closed pipe.
    #[derive(Clone)]
    struct Sink(Option<Arc<Mutex<Vec<u8>>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match &self.0 {
                Some(kept) => kept.lock().unwrap().write(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let sink = Sink(Some(Arc::clone(&kept)));
        let subscriber = subscriber(format, filter, false, move || sink.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(app = "hello", "started");
            tracing::debug!("detail");
            tracing::error!(target: "lapin::io_loop", "hunter2");
        });
        String::from_utf8(kept.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_are_text_or_json_and_the_filter_chooses() {
        let text = logged(LogFormat::Text, "");
        assert!(text.ends_with(" INFO started app=\"hello\"\n"), "{text}");
        assert_eq!(logged(LogFormat::Text, "debug").lines().count(), 2);
        assert_eq!(
            logged(LogFormat::Text, "lapin=trace,debug").lines().count(),
            2
        );
        let json: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json, "")).unwrap();
        assert_eq!(
            (&json["message"], &json["app"]),
            (&"started".into(), &"hello".into())
        );
    }

    #[test]
    fn a_closed_pipe_is_no_panic_and_a_bad_filter_is_an_error() {
        let closed = subscriber(LogFormat::Text, "", false, || Sink(None)).unwrap();
        tracing::subscriber::with_default(closed, || tracing::info!("lost"));
        let error = subscriber(LogFormat::Text, "a=b=c", false, || Sink(None))
            .err()
            .unwrap();
        assert!(error.to_string().contains("EBBTIDE_LOG"), "{error}");
    }
}
