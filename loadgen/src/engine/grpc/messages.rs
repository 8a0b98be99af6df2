//! The messages of an answer, however they are cut into pieces. Each comes behind a byte that says whether it is
//! compressed, and its length in four bytes.

/// How long that is.
const PREFIX: usize = 5;

/// What was read of the messages so far. They are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Messages {
    prefix: [u8; PREFIX],
    /// How much of the prefix was read.
    have: usize,
    /// How much of the message is to come.
    left: usize,
    complete: u64,
}

/// What came are no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("a message is compressed, which was not offered")]
    Compressed,
    #[error("a message begins with the byte {0}: that is 0, or 1 if it is compressed")]
    Flag(u8),
    #[error("a message is longer than can be counted")]
    Long,
}

impl Messages {
    /// Takes what was read; tells the parts of the messages themselves.
    pub(super) fn feed(
        &mut self,
        mut data: &[u8],
        mut part: impl FnMut(&[u8]),
    ) -> Result<(), MessageError> {
        while !data.is_empty() {
            if self.have < PREFIX {
                let length = data.len().min(PREFIX - self.have);
                self.prefix[self.have..self.have + length].copy_from_slice(&data[..length]);
                self.have += length;
                data = &data[length..];
                if self.have < PREFIX {
                    return Ok(());
                }
                self.left = length_of(self.prefix)?;
            }
            let length = data.len().min(self.left);
            part(&data[..length]);
            data = &data[length..];
            self.left -= length;
            if self.left == 0 {
                self.have = 0;
                self.complete += 1;
            }
        }
        Ok(())
    }

    /// How many messages have come.
    pub(super) fn complete(&self) -> u64 {
        self.complete
    }

    /// Whether what has come ends with a message.
    pub(super) fn is_whole(&self) -> bool {
        self.have == 0
    }
}

fn length_of([flag, length @ ..]: [u8; PREFIX]) -> Result<usize, MessageError> {
    match flag {
        0 => usize::try_from(u32::from_be_bytes(length)).map_err(|_| MessageError::Long),
        1 => Err(MessageError::Compressed),
        other => Err(MessageError::Flag(other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<(Messages, Vec<u8>), MessageError> {
        let (mut messages, mut all) = (Messages::default(), Vec::new());
        for piece in pieces {
            messages.feed(piece, |part| all.extend_from_slice(part))?;
        }
        Ok((messages, all))
    }

    #[test]
    fn messages_are_counted_and_their_prefixes_checked() {
        for (bytes, complete, whole, all) in [
            (&b""[..], 0, true, &b""[..]),
            (b"\0\0\0\0\0", 1, true, b""),
            (b"\0\0\0\0\x02hi", 1, true, b"hi"),
            (b"\0\0\0\0\x02h", 0, false, b"h"),
            (b"\0\0\0", 0, false, b""),
            (b"\0\0\0\0\0\0\0\0\0\x01x", 2, true, b"x"),
            (b"\0\0\0\0\0\0\0\0\0\x01", 1, false, b""),
        ] {
            let (messages, found) = read(&[bytes]).unwrap();
            let found = (messages.complete(), messages.is_whole(), &found[..]);
            assert_eq!(found, (complete, whole, all), "{bytes:?}");
        }
        assert_eq!(read(&[b"\x01\0\0\0\0"]), Err(MessageError::Compressed));
        assert_eq!(
            read(&[b"\0\0\0\0\0", b"g\0\0\0\0"]),
            Err(MessageError::Flag(b'g'))
        );
    }

    proptest! {
        /// However they are cut, the messages are the same.
        #[test]
        fn pieces_make_no_difference(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..6),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        ) {
            let mut bytes = Vec::new();
            for message in &messages {
                bytes.push(0);
                bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
                bytes.extend(message);
            }
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let pieces: Vec<_> = places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            let (found, all) = read(&pieces).unwrap();
            prop_assert_eq!(found.complete(), messages.len() as u64);
            prop_assert!(found.is_whole());
            prop_assert_eq!(all, messages.concat());
        }
    }
}
