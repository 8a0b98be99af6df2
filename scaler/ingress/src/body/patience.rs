//! How long an answer's body may take.

use std::io;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use thiserror::Error;

use crate::limits::reason::Reason;
use crate::request::visit::Visit;
use crate::upstream::UpstreamError;
use crate::worker::deadlines::OwnedDeadline;

/// Why an answer broke off.
#[derive(Debug, Error)]
pub(crate) enum AnswerError {
    #[error(transparent)]
    Replica(#[from] UpstreamError),
    #[error("an answer cannot be compressed: {0}")]
    Encoder(#[from] io::Error),
    #[error("the replica sent nothing for {} s", .0.as_secs_f64())]
    Idle(Duration),
    #[error("the request took longer than its app lets it")]
    Late,
}

impl AnswerError {
    /// Why, in a word.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Replica(_) => Reason::BrokenOff,
            Self::Encoder(_) => Reason::Compression,
            Self::Idle(_) => Reason::AnswerPaused,
            Self::Late => Reason::AnswerLate,
        }
    }
}

/// The times of an answer's body.
pub(crate) struct Patience {
    /// What is a stream has none.
    is_stream: bool,
    /// Until when the replica is waited for.
    waits: Option<OwnedDeadline>,
}

impl Patience {
    /// The times that the request's app lets it have, which are for ever for a stream.
    pub(crate) const fn new(is_stream: bool) -> Self {
        Self {
            is_stream,
            waits: None,
        }
    }

    /// Looks at the time after the body was asked for more, and is waited for if it `is_pending`.
    pub(super) fn look(
        &mut self,
        visit: &Visit,
        is_pending: bool,
        cx: &Context<'_>,
    ) -> Option<AnswerError> {
        if self.is_stream {
            return None;
        }
        let (worker, due) = (visit.worker(), visit.due());
        if due.is_some_and(|due| due <= worker.coarse_now()) {
            return Some(AnswerError::Late);
        }
        if !is_pending {
            self.waits = None;
            return None;
        }
        let idle = visit.timeouts().idle;
        if self.waits.is_none() {
            let idle = idle.map(|idle| worker.coarse_now() + idle);
            let until = idle.into_iter().chain(due).min()?;
            self.waits = Some(OwnedDeadline::new(Rc::clone(worker), until));
        }
        let has_passed = self.waits.as_ref()?.poll_passed(cx).is_ready();
        has_passed.then(|| AnswerError::Idle(idle.unwrap_or_default()))
    }
}
