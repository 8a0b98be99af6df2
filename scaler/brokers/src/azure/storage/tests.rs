use super::*;

const KEY: &str = "c2VjcmV0LW9mLXRoZS1hY2NvdW50";

fn now() -> Timestamp {
    "2026-11-26T09:05:07Z".parse().unwrap()
}

fn metadata(service: &QueueService) -> Signed {
    service.request(&Method::GET, &["orders"], &[("comp", "metadata")], now())
}

#[test]
fn the_endpoint_is_that_of_the_connection_string() {
    let key = format!("AccountName=shop;AccountKey={KEY}");
    for (text, expected) in [
        (key.clone(), "https://shop.queue.core.windows.net/orders"),
        (
            format!("DefaultEndpointsProtocol=http;{key};EndpointSuffix=core.chinacloudapi.cn"),
            "http://shop.queue.core.chinacloudapi.cn/orders",
        ),
        (
            format!("QueueEndpoint=http://127.0.0.1:10001/shop/;{key}"),
            "http://127.0.0.1:10001/shop/orders",
        ),
        (
            "UseDevelopmentStorage=true".to_owned(),
            "http://127.0.0.1:10001/devstoreaccount1/orders",
        ),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://box/".to_owned(),
            "http://box:10001/devstoreaccount1/orders",
        ),
    ] {
        let service = QueueService::from_connection(&text).ok().unwrap();
        let signed = metadata(&service);
        assert_eq!(signed.url, format!("{expected}?comp=metadata"));
    }
}

#[test]
fn a_connection_string_that_will_not_do_is_refused_without_showing_any_of_it() {
    for (text, expected) in [
        ("AccountName=hunter2", "has no AccountKey"),
        ("AccountKey=hunter2", "has no AccountName"),
        (
            "QueueEndpoint=https://h/;AccountName=a",
            "has no AccountKey",
        ),
        ("UseDevelopmentStorage=false", "has no AccountName"),
        (
            "AccountName=a;AccountKey=hunter2!",
            "has a key that is not Base64",
        ),
        (
            "QueueEndpoint=ftp://h/;SharedAccessSignature=hunter2",
            "names no host that could be asked by http:// or https://",
        ),
        (
            "QueueEndpoint=hunter2;SharedAccessSignature=x",
            "names no host that could be asked by http:// or https://",
        ),
    ] {
        let error = QueueService::from_connection(text).err();
        assert_eq!(error.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_shared_access_signature_goes_into_the_query() {
    let text = "QueueEndpoint=https://shop.example;SharedAccessSignature=?sv=2024&sig=a%2Bb%3D";
    let service = QueueService::from_connection(text).ok().unwrap();
    let signed = metadata(&service);
    let expected = "https://shop.example/orders?comp=metadata&sv=2024&sig=a%2Bb%3D";
    assert_eq!(signed.url, expected);
    assert!(
        signed
            .headers
            .iter()
            .all(|(name, _)| *name != "authorization")
    );
    let bare = service.request(&Method::GET, &["orders"], &[], now());
    assert_eq!(bare.url, "https://shop.example/orders?sv=2024&sig=a%2Bb%3D");
}

#[test]
fn what_is_signed_is_in_its_canonical_form() {
    let headers = [
        ("x-ms-date", "D".to_owned()),
        ("x-ms-version", "V".to_owned()),
    ];
    let query = [("peekonly", "true"), ("numofmessages", "32")];
    let text = to_sign(
        (&Method::GET, None),
        &headers,
        "shop",
        "/shop/orders/messages",
        &query,
    );
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!((lines[0], &lines[1..12]), ("GET", &[""; 11][..]));
    let expected = [
        "x-ms-date:D",
        "x-ms-version:V",
        "/shop/shop/orders/messages",
        "numofmessages:32",
        "peekonly:true",
    ];
    assert_eq!(lines[12..], expected);
}

#[test]
fn the_length_and_type_of_a_body_are_signed() {
    let text = to_sign((&Method::POST, Some(42)), &[], "shop", "/orders", &[]);
    let expected = ["POST", "", "", "42", "", "application/xml", ""];
    assert_eq!(text.split('\n').collect::<Vec<_>>()[..7], expected);
    let service = QueueService::of_account("shop", "queue.core.windows.net", KEY)
        .ok()
        .unwrap();
    let path = ["orders", "messages"];
    let signed = service.request_with_xml(&Method::POST, &path, &[], 42, now());
    let kind = ("content-type", "application/xml".to_owned());
    assert!(signed.headers.contains(&kind));
    let signature = |signed: &Signed| {
        let mut headers = signed.headers.iter();
        let found = headers.find(|(name, _)| *name == "authorization");
        found.map(|(_, value)| value.clone())
    };
    let other = service.request_with_xml(&Method::POST, &path, &[], 43, now());
    assert_ne!(signature(&signed), signature(&other));
}

#[test]
fn the_date_is_the_one_given() {
    let service = QueueService::of_account("shop", "queue.core.windows.net", KEY)
        .ok()
        .unwrap();
    let signed = metadata(&service);
    assert_eq!(
        signed.headers[0],
        ("x-ms-date", "Thu, 26 Nov 2026 09:05:07 GMT".to_owned())
    );
    let (name, authorization) = &signed.headers[2];
    assert_eq!(*name, "authorization");
    let signature = authorization.strip_prefix("SharedKey shop:").unwrap();
    assert_eq!(STANDARD.decode(signature).unwrap().len(), 32);
    let path = service.request(&Method::GET, &["a b", ".."], &[], now());
    assert_eq!(path.url, "https://shop.queue.core.windows.net/a%20b");
}
