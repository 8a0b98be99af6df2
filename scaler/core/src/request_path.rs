//! Paths of requests as routes compare them: by what they stand for, however they are written.
//!
//! A route must not be evaded by another spelling of its path that an app reads as the same. So bytes
//! are compared percent-decoded, once, and without path parameters (`;…`), which some apps leave out
//! before they look at a path. What apps read in different ways is refused: see [`PathError`].

use thiserror::Error;

/// Why a path is not compared with routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// A segment is `.` or `..`, encoded or not: some apps resolve it, others do not.
    #[error("the path has a segment `.` or `..`; send the path that it leads to")]
    Dots,
    /// `//`: some apps take it for one slash.
    #[error("the path has an empty segment (`//`); send single slashes")]
    EmptySegment,
    /// `\`, `%2F` or `%5C`: some apps take it for a slash.
    #[error(
        "the path has a backslash, or an encoded slash or backslash; send `/` between segments"
    )]
    Separator,
    /// A control character, encoded or not.
    #[error("the path has a control character; leave it out")]
    Control,
    /// `%` without two hexadecimal digits.
    #[error("the path has a `%` without two hexadecimal digits; write `%25` for `%` itself")]
    Percent,
}

/// Checks that all apps read a path in the one way in which it is compared.
///
/// # Errors
/// The first thing in it that they might not.
pub fn check(path: &str) -> Result<(), PathError> {
    check_bytes(path.as_bytes())?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let mut name = decoded(segment);
        match (name.next(), name.next(), name.next()) {
            // The last one is empty when the path ends with a slash.
            (None, ..) if segments.peek().is_some() => return Err(PathError::EmptySegment),
            (Some(b'.'), None, _) | (Some(b'.'), Some(b'.'), None) => return Err(PathError::Dots),
            _ => {}
        }
    }
    Ok(())
}

fn check_bytes(mut rest: &[u8]) -> Result<(), PathError> {
    while let Some((byte, length)) = first(rest) {
        match byte {
            b'%' if length == 1 => return Err(PathError::Percent),
            b'\\' => return Err(PathError::Separator),
            b'/' if length > 1 => return Err(PathError::Separator),
            byte if byte.is_ascii_control() => return Err(PathError::Control),
            _ => rest = &rest[length..],
        }
    }
    Ok(())
}

/// The bytes that a path stands for.
pub fn decoded(path: &str) -> Decoded<'_> {
    Decoded {
        path: path.as_bytes(),
        at: 0,
    }
}

/// The bytes of a path, percent-decoded and without path parameters.
#[derive(Clone, Debug)]
pub struct Decoded<'p> {
    path: &'p [u8],
    at: usize,
}

impl Decoded<'_> {
    /// How many bytes of the path as it is written have been passed.
    pub fn position(&self) -> usize {
        self.at
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let mut rest = &self.path[self.at..];
        if rest.first() == Some(&b';') {
            let end = rest.iter().position(|byte| *byte == b'/');
            self.at += end.unwrap_or(rest.len());
            rest = &self.path[self.at..];
        }
        let (byte, length) = first(rest)?;
        self.at += length;
        Some(byte)
    }
}

/// The first byte, and how many it is written with: one if it is a `%` that encodes nothing.
fn first(path: &[u8]) -> Option<(u8, usize)> {
    let byte = *path.first()?;
    let digit = |place: usize| char::from(*path.get(place)?).to_digit(16);
    if byte == b'%'
        && let (Some(high), Some(low)) = (digit(1), digit(2))
    {
        let value = u8::try_from(high * 16 + low).ok()?;
        return Some((value, 3));
    }
    Some((byte, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str) -> String {
        String::from_utf8_lossy(&decoded(path).collect::<Vec<_>>()).into_owned()
    }

    #[test]
    fn a_path_is_compared_by_what_it_stands_for() {
        for (path, expected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/%61%2d%7E", "/a-~"),
            ("/%C3%A4", "/ä"),
            ("/a;x=1/b;y", "/a/b"),
            ("/a;", "/a"),
            ("/a%3Bx", "/a;x"),
            ("/%252F", "/%2F"),
            ("/a%4", "/a%4"),
            ("", ""),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn what_apps_read_in_different_ways_is_refused() {
        use PathError::{Control, Dots, EmptySegment, Percent, Separator};
        for (path, expected) in [
            ("/a//b", EmptySegment),
            ("//a", EmptySegment),
            ("//", EmptySegment),
            ("/;x/a", EmptySegment),
            ("/a/./b", Dots),
            ("/..", Dots),
            ("/a/%2e%2E/b", Dots),
            ("/a/.%2e", Dots),
            ("/a/..;x/b", Dots),
            ("/a%2Fb", Separator),
            ("/a%2fb", Separator),
            ("/a%5cb", Separator),
            ("/a\\b", Separator),
            ("/a%00", Control),
            ("/a%7f", Control),
            ("/a%", Percent),
            ("/a%4", Percent),
            ("/a%zz", Percent),
            ("/%+1", Percent),
        ] {
            assert_eq!(check(path), Err(expected), "{path}");
        }
        for path in [
            "/",
            "/a",
            "/a/",
            "/...",
            "/.a",
            "/a..",
            "/a.b/",
            "/a;b=../c",
            "*",
            "",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    proptest! {
        /// Decoding once is what an app does, and what it then sees has the segments that were compared.
        #[test]
        fn a_path_that_is_checked_has_the_segments_that_are_compared(
            path in "/([ab./;\\\\]|%2[eEfF]|%5c|%61|%3b|%25){0,10}",
        ) {
            if check(&path).is_ok() {
                let written: Vec<String> = path.split('/').map(read).collect();
                let compared = read(&path);
                prop_assert_eq!(&written, &compared.split('/').collect::<Vec<_>>());
                let inner = &written[1..written.len() - 1];
                prop_assert!(!inner.iter().any(String::is_empty), "{}", path);
                prop_assert!(!written.iter().any(|one| one == "." || one == ".."), "{}", path);
            }
        }

        #[test]
        fn any_path_is_read(path in "\\PC{0,20}") {
            let _ = check(&path);
            let mut bytes = decoded(&path);
            while bytes.next().is_some() {
                prop_assert!(bytes.position() <= path.len());
            }
        }
    }
}
