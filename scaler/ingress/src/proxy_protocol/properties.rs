//! What holds of whatever a connection begins with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Header, MOST, binary, parse, text};

/// Bytes that are a header, nearly one, or anything.
fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    let anything = vec(any::<u8>(), 0..300);
    let text = "(TCP4 192.0.2.1 10.0.0.1 1 2|TCP6 ::1 ::2 1 2|UNKNOWN)[ -~]{0,100}(\r\n)?";
    let text = (text, anything.clone())
        .prop_map(|(line, rest)| [text::SIGNATURE, line.as_bytes(), &rest].concat());
    let family = prop::sample::select(vec![0x00, 0x11, 0x21, 0x31, 0x12]);
    let binary = (0x1f..0x23_u8, family, 0..300_u16, anything.clone());
    let binary = binary.prop_map(|(command, family, length, rest)| {
        let fixed = [command, family];
        [binary::SIGNATURE, &fixed, &length.to_be_bytes(), &rest].concat()
    });
    prop_oneof![anything, text, binary]
}

proptest! {
    /// However its bytes are cut, a header is read the same, and never past its end: what is not whole
    /// becomes whole or wrong with more bytes, and what is whole stays so.
    #[test]
    fn bytes_that_come_one_by_one_say_the_same(bytes in beginnings()) {
        let mut whole: Option<Header> = None;
        for end in 0..=bytes.len() {
            match (parse(&bytes[..end]), whole) {
                (Ok(Some(header)), None) => {
                    prop_assert_eq!(header.length, end);
                    whole = Some(header);
                }
                (Ok(now), before @ Some(_)) => prop_assert_eq!(now, before),
                (Ok(None), None) => prop_assert!(end < MOST),
                (Err(error), Some(_)) => prop_assert!(false, "{}", error),
                (Err(_), None) => {
                    prop_assert!(parse(&bytes).is_err(), "more bytes make no header right");
                    break;
                }
            }
        }
    }

    /// What a proxy writes is read, in both versions.
    #[test]
    fn what_is_written_is_read(v4: [u32; 2], v6: [u128; 2], ports: [u16; 2], after: Vec<u8>) {
        let [source, destination] = v4.map(Ipv4Addr::from_bits);
        check_both("TCP4", 0x11, (source, destination), &[source.octets(), destination.octets()].concat(), ports, &after)?;
        let [source, destination] = v6.map(Ipv6Addr::from_bits);
        check_both("TCP6", 0x21, (source, destination), &[source.octets(), destination.octets()].concat(), ports, &after)?;
    }
}

fn check_both<A: Into<IpAddr> + ToString>(
    protocol: &str,
    family: u8,
    (source, destination): (A, A),
    octets: &[u8],
    [from, to]: [u16; 2],
    after: &[u8],
) -> Result<(), TestCaseError> {
    let (written, destination) = (source.to_string(), destination.to_string());
    let line = format!("PROXY {protocol} {written} {destination} {from} {to}\r\n");
    let rest = [octets, &from.to_be_bytes(), &to.to_be_bytes()].concat();
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let binary = [binary::SIGNATURE, &[0x21, family], &length, &rest].concat();
    let client = Some(source.into());
    for header in [line.into_bytes(), binary] {
        let length = header.len();
        let read = parse(&[&header, after].concat()).unwrap();
        prop_assert_eq!(read, Some(Header { length, client }));
    }
    Ok(())
}
