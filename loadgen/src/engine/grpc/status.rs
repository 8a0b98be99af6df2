//! The status that a call ends with.

use http::HeaderMap;
use percent_encoding::percent_decode;

/// Where it is, among the trailers, or the headers if there is nothing else.
pub(super) const HEADER: &str = "grpc-status";

/// By their numbers, as gRPC's document of status codes has them.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Why a call failed, in words; none if its status is OK.
pub(super) fn failure(headers: &HeaderMap) -> Option<String> {
    let code = headers.get(HEADER).map_or(&b""[..], |code| code.as_bytes());
    let code = String::from_utf8_lossy(code);
    let known = code.parse().ok().and_then(|code: usize| NAMES.get(code));
    if known == Some(&"OK") {
        return None;
    }
    let name = known.copied().unwrap_or("which is no status");
    let message = headers.get("grpc-message").map(|message| {
        let message = percent_decode(message.as_bytes()).decode_utf8_lossy();
        format!(": {message}")
    });
    let message = message.unwrap_or_default();
    Some(format!("the status of gRPC is {code} ({name}){message}"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_status_that_is_not_ok_is_a_failure_with_its_name_and_message() {
        for (code, message, expected) in [
            ("0", None, None),
            ("0", Some("fine"), None),
            (
                "9",
                Some("not today, %C3%A4"),
                Some("the status of gRPC is 9 (FAILED_PRECONDITION): not today, ä"),
            ),
            (
                "16",
                None,
                Some("the status of gRPC is 16 (UNAUTHENTICATED)"),
            ),
            (
                "17",
                None,
                Some("the status of gRPC is 17 (which is no status)"),
            ),
            (
                "",
                None,
                Some("the status of gRPC is  (which is no status)"),
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_static(code));
            if let Some(message) = message {
                headers.insert("grpc-message", HeaderValue::from_static(message));
            }
            assert_eq!(failure(&headers).as_deref(), expected, "{code}");
        }
    }
}
