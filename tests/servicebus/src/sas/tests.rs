use super::*;

const NOW: i64 = 1_800_000_000;

/// A token signed here by hand, for a resource that is encoded already.
fn token(resource: &str, expiry: &str, name: &str, key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{resource}\n{expiry}").as_bytes());
    let signature = STANDARD.encode(tag);
    let signature = signature
        .replace('+', "%2b")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={name}")
}

fn check(authorization: Option<&str>, path: &str, right: Right) -> Result<(), Refusal> {
    let policies = [
        Policy::new("all", "c2VjcmV0", vec![Right::Manage]),
        Policy::new("reader", "another", vec![Right::Listen]),
    ];
    let hosts = [
        "ns.servicebus.windows.net".to_owned(),
        "localhost".to_owned(),
    ];
    let now = Timestamp::from_second(NOW).unwrap();
    verify(&policies, &hosts, authorization, Asked { path, right }, now)
}

#[test]
fn a_resource_covers_what_is_below_it() {
    let cases = [
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2Forders%2Fmessages",
            "/orders/messages",
            true,
        ),
        (
            "https%3a%2f%2fns.servicebus.windows.net%2forders",
            "/orders/messages/head",
            true,
        ),
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2FORDERS",
            "/Orders/messages/head",
            true,
        ),
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2Forders%3Ftimeout%3D5",
            "/orders",
            true,
        ),
        ("sb%3A%2F%2Fns.servicebus.windows.net%2F", "/orders", true),
        ("ns.servicebus.windows.net", "/$Resources/queues", true),
        ("localhost%3A4711", "/orders", true),
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2Forders",
            "/%6Frders",
            true,
        ),
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2Forder",
            "/orders",
            false,
        ),
        (
            "https%3A%2F%2Fns.servicebus.windows.net%2Forders%2Fmessages",
            "/orders",
            false,
        ),
        (
            "https%3A%2F%2Fother.servicebus.windows.net%2Forders",
            "/orders",
            false,
        ),
        ("orders", "/orders", false),
    ];
    for (resource, path, covered) in cases {
        let token = token(resource, &(NOW + 1).to_string(), "all", "c2VjcmV0");
        let result = check(Some(&token), path, Right::Manage);
        let expected = if covered {
            Ok(())
        } else {
            Err(Refusal::InvalidAudience)
        };
        assert_eq!(result, expected, "{resource} {path}");
    }
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let resource = "https%3A%2F%2Fns.servicebus.windows.net%2Forders";
    let (soon, past) = ((NOW + 1).to_string(), NOW.to_string());
    let good = token(resource, &soon, "reader", "another");
    let cases = [
        (good.clone(), Ok(())),
        (
            good.replace("orders", "other"),
            Err(Refusal::InvalidSignature),
        ),
        (
            good.replace(&soon, "1900000000"),
            Err(Refusal::InvalidSignature),
        ),
        (
            good.replace("skn=reader", "skn=all"),
            Err(Refusal::InvalidSignature),
        ),
        (
            good.replace("skn=reader", "skn=nobody"),
            Err(Refusal::InvalidSignature),
        ),
        (
            good.replace("&skn=reader", ""),
            Err(Refusal::Malformed("skn")),
        ),
        (
            good.replace("&sig=", "&sig=!"),
            Err(Refusal::Malformed("sig")),
        ),
        (
            good.replace("SharedAccessSignature", "Bearer"),
            Err(Refusal::Malformed("SharedAccessSignature")),
        ),
        (
            token(resource, &past, "reader", "another"),
            Err(Refusal::Expired),
        ),
        (
            token(resource, "soon", "reader", "another"),
            Err(Refusal::Malformed("se")),
        ),
    ];
    for (token, expected) in cases {
        assert_eq!(
            check(Some(&token), "/orders", Right::Listen),
            expected,
            "{token}"
        );
    }
    assert_eq!(check(None, "/orders", Right::Listen), Err(Refusal::Missing));
    for right in [Right::Send, Right::Manage] {
        assert_eq!(
            check(Some(&good), "/orders", right),
            Err(Refusal::NoClaim(right))
        );
    }
}

#[test]
fn a_signature_that_others_made() {
    // By Python: hmac.new(b"c2VjcmV0", b"https%3A%2F%2Fns.servicebus.windows.net\n1900000000", "sha256").
    let token = "SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net\
                 &sig=YKoLPbE%2FImFxcpNt0irZbOTwOHjHLh1gXON1bE9%2BUqc%3D&se=1900000000&skn=all";
    assert_eq!(check(Some(token), "/orders", Right::Send), Ok(()));
}
