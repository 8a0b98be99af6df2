//! A copy of a request's body, made while it goes through.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

/// Bytes of a body of which a copy is made.
pub(crate) const MOST: usize = 64 * 1024;

/// The copy of one body, shared between what passes the body on and who wants the copy.
pub(crate) struct BodyCopy(RefCell<State>);

enum State {
    Gathering(BytesMut),
    Whole(Bytes),
    TooLarge,
}

/// Why there is no copy of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoCopy {
    /// It has more bytes than are copied.
    TooLarge,
    /// It has not ended.
    Unfinished,
}

impl BodyCopy {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(State::Gathering(BytesMut::new())))
    }

    /// A part of the body goes through.
    pub(super) fn came(&self, data: &[u8]) {
        let mut state = self.0.borrow_mut();
        if let State::Gathering(bytes) = &mut *state {
            if bytes.len() + data.len() > MOST {
                *state = State::TooLarge;
            } else {
                bytes.extend_from_slice(data);
            }
        }
    }

    /// The body has ended as it should.
    pub(super) fn ended(&self) {
        let mut state = self.0.borrow_mut();
        if let State::Gathering(bytes) = &mut *state {
            *state = State::Whole(std::mem::take(bytes).freeze());
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// When there is no copy of it.
    pub(crate) fn whole(&self) -> Result<Bytes, NoCopy> {
        match &*self.0.borrow() {
            State::Whole(bytes) => Ok(bytes.clone()),
            State::Gathering(_) => Err(NoCopy::Unfinished),
            State::TooLarge => Err(NoCopy::TooLarge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_copied_once_it_is_whole_and_up_to_the_bound() {
        let copy = BodyCopy::new();
        copy.came(b"a");
        assert_eq!(copy.whole(), Err(NoCopy::Unfinished));
        copy.came(&vec![b'b'; MOST - 1]);
        copy.ended();
        let whole = copy.whole().unwrap();
        assert_eq!((whole.len(), &whole[..2]), (MOST, &b"ab"[..]));

        let copy = BodyCopy::new();
        copy.came(&vec![0; MOST]);
        copy.came(b"c");
        assert_eq!(copy.whole(), Err(NoCopy::TooLarge));
        copy.came(b"d");
        copy.ended();
        assert_eq!(copy.whole(), Err(NoCopy::TooLarge));
    }
}
