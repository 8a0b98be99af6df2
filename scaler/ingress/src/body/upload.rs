//! What becomes of a request's body on its way to the replica, for who waits for the answer.

use std::cell::Cell;
use std::error::Error as StdError;
use std::io;

/// The body of one request, seen from the request.
#[derive(Default)]
pub(crate) struct Upload {
    failure: Cell<Option<UploadFailure>>,
}

/// Why a body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadFailure {
    /// Its chunks are not as they should be.
    Malformed,
    /// The client has gone, or has reset its stream.
    Gone,
}

impl Upload {
    /// Why the body broke off, if it did.
    pub(crate) fn failure(&self) -> Option<UploadFailure> {
        self.failure.get()
    }

    /// The body broke off. The first reason is the one that counts.
    pub(super) fn failed(&self, failure: UploadFailure) {
        if self.failure.get().is_none() {
            self.failure.set(Some(failure));
        }
    }
}

impl UploadFailure {
    /// What an error of a client's body means.
    pub(super) fn of(error: &hyper::Error) -> Self {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                let malformed = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData];
                return if malformed.contains(&error.kind()) {
                    Self::Malformed
                } else {
                    Self::Gone
                };
            }
            cause = error.source();
        }
        Self::Gone
    }
}
