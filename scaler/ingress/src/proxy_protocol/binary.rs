//! Version 2: sixteen bytes, addresses, extensions.

use std::net::IpAddr;

use super::{Header, MOST, Wrong};

/// What it begins with: bytes that no other protocol begins with.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses.
const FIXED: usize = 16;

/// Bytes before the value of an extension: its type and its length.
const EXTENSION: usize = 3;

/// Reads a header; none if its end has not come.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Header>, Wrong> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(None);
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED + length > MOST {
        return Err(Wrong::Header("it is longer than 4096 bytes"));
    }
    // Of a check by the proxy itself the rest means nothing, whatever it is.
    let addresses = match command {
        0x20 => 0,
        0x21 => addresses(family)?,
        _ => return Err(Wrong::Header("its version or its command is unknown")),
    };
    let Some(rest) = rest.get(..length) else {
        return Ok(None);
    };
    let client = client(addresses, rest)?;
    Ok(Some(Header {
        length: FIXED + length,
        client,
    }))
}

/// How many bytes of addresses a family and a transport have. What does not come by TCP is refused, except
/// where nothing is said.
fn addresses(family: u8) -> Result<usize, Wrong> {
    match family {
        0x00 => Ok(0),
        0x11 => Ok(12),
        0x21 => Ok(36),
        0x31 => Ok(216),
        _ => Err(Wrong::Header(
            "its family is none of TCP over IPv4, over IPv6, a Unix stream, unspecified",
        )),
    }
}

/// Who it names in what follows the fixed part, `length` bytes of which are addresses.
fn client(length: usize, rest: &[u8]) -> Result<Option<IpAddr>, Wrong> {
    if length == 0 {
        return Ok(None);
    }
    let Some((addresses, extensions)) = rest.split_at_checked(length) else {
        return Err(Wrong::Header("it is shorter than its addresses"));
    };
    check_extensions(extensions)?;
    let v4 = || Some(<[u8; 4]>::try_from(addresses.get(..4)?).ok()?.into());
    let v6 = || Some(<[u8; 16]>::try_from(addresses.get(..16)?).ok()?.into());
    Ok(match length {
        12 => v4(),
        36 => v6(),
        _ => None,
    })
}

/// Checks that extensions are whole, whatever they say.
fn check_extensions(mut extensions: &[u8]) -> Result<(), Wrong> {
    while let Some((&[_, high, low], rest)) = extensions.split_first_chunk::<EXTENSION>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        extensions = rest.get(length..).unwrap_or(&[0]);
    }
    if extensions.is_empty() {
        return Ok(());
    }
    Err(Wrong::Header("an extension is longer than the header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 1, 0, 1, 0, 2];

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    fn read(bytes: &[u8]) -> Result<Option<String>, String> {
        match parse(bytes) {
            Ok(Some(header)) => {
                assert_eq!(header.length, bytes.len());
                Ok(header.client.map(|client| client.to_string()))
            }
            Ok(None) => Err("more".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn addresses_name_the_client() {
        let mut v6 = [0; 36];
        v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        let extended = [&V4[..], &[4, 0, 2, 7, 7, 5, 0, 0]].concat();
        for (command, family, rest, client) in [
            (0x21, 0x11, &V4[..], Some("192.0.2.1")),
            (0x21, 0x11, &extended, Some("192.0.2.1")),
            (0x21, 0x21, &v6, Some("2001:db8::")),
            (0x21, 0x31, &[7; 216], None),
            (0x21, 0x00, &[1, 2, 3], None),
            (0x20, 0x11, &V4, None),
            (0x20, 0xff, &[], None),
        ] {
            let expected = Ok(client.map(str::to_owned));
            assert_eq!(
                read(&header(command, family, rest)),
                expected,
                "{command} {family}"
            );
        }
    }

    #[test]
    fn what_is_not_exactly_a_header_is_refused() {
        let long_extension = [&V4[..], &[4, 0, 3, 7, 7]].concat();
        let half_extension = [&V4[..], &[4, 0]].concat();
        for (command, family, rest) in [
            (0x11, 0x11, &V4[..]),
            (0x22, 0x11, &V4),
            (0x21, 0x12, &V4),
            (0x21, 0x41, &V4),
            (0x21, 0x10, &V4),
            (0x21, 0x11, &V4[..11]),
            (0x21, 0x21, &V4),
            (0x21, 0x11, &long_extension),
            (0x21, 0x11, &half_extension),
            (0x21, 0x11, &[0; 4081]),
        ] {
            let error = read(&header(command, family, rest)).unwrap_err();
            assert!(error.contains("is wrong"), "{command} {family}: {error}");
        }
    }

    #[test]
    fn a_header_is_whole_with_its_last_byte() {
        let whole = header(0x21, 0x11, &V4);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Err("more".to_owned()), "{length}");
        }
        let most = header(0x20, 0x00, &[0; MOST - FIXED]);
        assert_eq!(read(&most), Ok(None));
    }
}
