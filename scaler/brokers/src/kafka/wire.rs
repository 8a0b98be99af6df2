//! How numbers, texts and lists are written and read.

/// What a broker answered is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

/// A question that is being written.
#[derive(Default)]
pub(super) struct Question(Vec<u8>);

impl Question {
    pub(super) fn i8(&mut self, number: i8) {
        self.0.extend(number.to_be_bytes());
    }

    pub(super) fn i16(&mut self, number: i16) {
        self.0.extend(number.to_be_bytes());
    }

    pub(super) fn i32(&mut self, number: i32) {
        self.0.extend(number.to_be_bytes());
    }

    pub(super) fn i64(&mut self, number: i64) {
        self.0.extend(number.to_be_bytes());
    }

    /// A text, of which at most 32,767 bytes are written: no name is as long.
    pub(super) fn text(&mut self, text: &str) {
        let most = usize::from(i16::MAX.unsigned_abs());
        let bytes = text.as_bytes();
        let bytes = bytes.get(..most).unwrap_or(bytes);
        self.i16(i16::try_from(bytes.len()).unwrap_or(i16::MAX));
        self.0.extend(bytes);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend(bytes);
    }

    /// The length of a list, or the length in bytes of what comes next.
    pub(super) fn length(&mut self, length: usize) {
        self.i32(i32::try_from(length).unwrap_or(i32::MAX));
    }

    pub(super) fn list<T>(
        &mut self,
        list: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.length(list.len());
        for item in list {
            write(self, item);
        }
    }

    /// No list, which is not the same as one without anything.
    pub(super) fn no_list(&mut self) {
        self.i32(-1);
    }

    /// No text, which is not the same as one without letters.
    pub(super) fn no_text(&mut self) {
        self.i16(-1);
    }

    /// A number that takes as many bytes as it needs, as records have them: its sign is the lowest bit, and each byte
    /// but the last has its highest bit set.
    pub(super) fn varint(&mut self, number: i64) {
        let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
        loop {
            let [lowest, ..] = left.to_le_bytes();
            left >>= 7;
            if left == 0 {
                self.0.push(lowest);
                return;
            }
            self.0.push(lowest | 0x80);
        }
    }

    /// Bytes after their length, as records have them.
    pub(super) fn short_bytes(&mut self, bytes: &[u8]) {
        self.varint(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.extend(bytes);
    }

    /// Bytes as they are, without their length.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.0
    }
}

/// What is left of an answer to be read. It trusts no length.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a>(&'a [u8]);

impl<'a> Answer<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Nonsense> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Nonsense)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Nonsense> {
        self.take(N)?.try_into().map_err(|_| Nonsense)
    }

    pub(super) fn i8(&mut self) -> Result<i8, Nonsense> {
        self.array().map(i8::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Nonsense> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Nonsense> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Nonsense> {
        self.array().map(i64::from_be_bytes)
    }

    /// A text; none is as good as an empty one.
    pub(super) fn text(&mut self) -> Result<String, Nonsense> {
        let length = usize::try_from(self.i16()?).unwrap_or_default();
        let text = std::str::from_utf8(self.take(length)?);
        text.map(str::to_owned).map_err(|_| Nonsense)
    }

    /// Bytes; none are as good as an empty list of them.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Nonsense> {
        let length = usize::try_from(self.i32()?).unwrap_or_default();
        self.take(length)
    }

    /// A number that takes as many bytes as it needs.
    pub(super) fn varint(&mut self) -> Result<i64, Nonsense> {
        let mut read = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            read |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let half = (read >> 1).cast_signed();
                return Ok(if read & 1 == 0 { half } else { !half });
            }
        }
        Err(Nonsense)
    }

    /// Bytes after their length, as records have them; none are as good as an empty list of them.
    pub(super) fn short_bytes(&mut self) -> Result<&'a [u8], Nonsense> {
        let length = usize::try_from(self.varint()?).unwrap_or_default();
        self.take(length)
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// A list, each part of which has at least a byte; none is as good as an empty one.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Nonsense>,
    ) -> Result<Vec<T>, Nonsense> {
        // Nothing is set aside for as many as the broker says there are.
        (0..self.i32()?).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests;
