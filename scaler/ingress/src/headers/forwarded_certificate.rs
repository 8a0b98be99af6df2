//! `X-Forwarded-Client-Cert`, as Azure Container Apps has it: the certificate's SHA-256, the certificate, and
//! all that came with it, in PEM that is percent-encoded.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// The header.
pub(crate) const CLIENT_CERTIFICATE: HeaderName =
    HeaderName::from_static("x-forwarded-client-cert");

/// Characters in a line of PEM (RFC 7468, section 2).
const LINE: usize = 64;

/// Whether a request says that it came with a certificate.
pub(crate) fn is_in(headers: &HeaderMap) -> bool {
    let value = headers.get(CLIENT_CERTIFICATE);
    value.is_some_and(|value| !value.is_empty())
}

/// The header's value for what a client has shown, its own certificate first; none if that is nothing.
pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Option<HeaderValue> {
    let own = chain.first()?;
    let mut text = String::from("Hash=");
    for byte in digest(&SHA256, own).as_ref() {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
    }
    text.push_str(";Cert=\"");
    push_pem(&mut text, own);
    text.push_str("\";Chain=\"");
    for certificate in chain {
        push_pem(&mut text, certificate);
    }
    text.push('"');
    let mut value = HeaderValue::try_from(text).ok()?;
    // It says who somebody is.
    value.set_sensitive(true);
    Some(value)
}

fn push_pem(text: &mut String, certificate: &CertificateDer<'_>) {
    text.push_str("-----BEGIN%20CERTIFICATE-----%0A");
    for (place, letter) in BASE64_STANDARD.encode(certificate).chars().enumerate() {
        if place > 0 && place % LINE == 0 {
            text.push_str("%0A");
        }
        match letter {
            '+' => text.push_str("%2B"),
            '/' => text.push_str("%2F"),
            '=' => text.push_str("%3D"),
            letter => text.push(letter),
        }
    }
    text.push_str("%0A-----END%20CERTIFICATE-----%0A");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(chain: &[&'static [u8]]) -> Option<String> {
        let chain: Vec<_> = chain.iter().map(|one| CertificateDer::from(*one)).collect();
        of(&chain).map(|value| value.to_str().unwrap().to_owned())
    }

    fn pem(body: &str) -> String {
        format!("-----BEGIN%20CERTIFICATE-----%0A{body}%0A-----END%20CERTIFICATE-----%0A")
    }

    #[test]
    fn it_has_the_hash_the_certificate_and_the_chain() {
        // sha256sum has this for "abc".
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (own, issuer) = (pem("YWJj"), pem("%2B%2F8%3D"));
        let expected = format!("Hash={hash};Cert=\"{own}\";Chain=\"{own}{issuer}\"");
        assert_eq!(value(&[b"abc", b"\xfb\xff"]), Some(expected));
        assert_eq!(value(&[]), None);
    }

    #[test]
    fn lines_are_of_64_letters() {
        let one = value(&[&[0; 48]]).unwrap();
        assert!(one.contains(&pem(&"A".repeat(64))), "{one}");
        let two = value(&[&[0; 51]]).unwrap();
        assert!(
            two.contains(&pem(&format!("{}%0AAAAA", "A".repeat(64)))),
            "{two}"
        );
    }

    #[test]
    fn an_empty_header_is_none() {
        let mut headers = HeaderMap::new();
        assert!(!is_in(&headers));
        headers.insert(CLIENT_CERTIFICATE, HeaderValue::from_static(""));
        assert!(!is_in(&headers));
        headers.insert(CLIENT_CERTIFICATE, HeaderValue::from_static("Hash=1"));
        assert!(is_in(&headers));
    }
}
