use super::*;

const PROTO: &str = r#"syntax = "proto3";
package shop;
import "google/protobuf/duration.proto";
message Order { string id = 1; repeated int32 items = 2; google.protobuf.Duration wait = 3; }
service Orders {
  rpc Take(Order) returns (Order);
  rpc Watch(Order) returns (stream Order);
  rpc Fill(stream Order) returns (Order);
  rpc Talk(stream Order) returns (stream Order);
}
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.proto"), PROTO).unwrap();
    let pool = compile(&folder.path().join("shop.proto"), folder.path()).unwrap();
    std::fs::write(folder.path().join("shop.bin"), pool.encode_to_vec()).unwrap();
    std::fs::write(
        folder.path().join("bad.proto"),
        "syntax = \"proto3\"; messag",
    )
    .unwrap();
    std::fs::write(folder.path().join("order.json"), r#"{"id": "a"}"#).unwrap();
    folder
}

fn document(proto: &str, method: &str) -> GrpcDocument {
    GrpcDocument {
        method: method.to_owned(),
        proto: Some(proto.to_owned()),
        ..GrpcDocument::default()
    }
}

#[test]
fn a_method_is_found_in_a_proto_file_and_in_a_descriptor_set() {
    let folder = folder();
    for proto in ["shop.proto", "shop.bin"] {
        for (method, expected) in [
            ("Take", GrpcModeDocument::Unary),
            ("Watch", GrpcModeDocument::ServerStreaming),
            ("Fill", GrpcModeDocument::ClientStreaming),
            ("Talk", GrpcModeDocument::Bidirectional),
        ] {
            let of = document(proto, &format!("shop.Orders/{method}"));
            let found = describe(folder.path(), proto, &of).unwrap();
            let found = mode(found.is_client_streaming(), found.is_server_streaming());
            assert_eq!(found, expected, "{proto} {method}");
        }
    }
    for (proto, method, reason) in [
        ("none.proto", "shop.Orders/Take", "none.proto"),
        ("bad.proto", "shop.Orders/Take", "bad.proto"),
        (
            "order.json",
            "shop.Orders/Take",
            "neither a .proto file nor",
        ),
        (
            "shop.proto",
            "shop.Order/Take",
            "no service `shop.Order` (there are shop.Orders)",
        ),
        (
            "shop.proto",
            "shop.Orders/Make",
            "no method `Make` (there are Take, Watch",
        ),
    ] {
        let error = describe(folder.path(), proto, &document(proto, method)).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn messages_are_encoded_or_say_why_not() {
    let folder = folder();
    let of = document("shop.proto", "shop.Orders/Take");
    let method = describe(folder.path(), "shop.proto", &of).unwrap();
    let json = |text| Some(serde_json::from_str(text).unwrap());
    let encoded = |of: &GrpcDocument, described| encode(folder.path(), of, described).1;
    for (text, expected) in [
        ("{}", &b""[..]),
        (
            r#"{"id": "a", "items": [1, 300]}"#,
            b"\x0a\x01a\x12\x03\x01\xac\x02",
        ),
        (r#"{"wait": "2s"}"#, b"\x1a\x02\x08\x02"),
    ] {
        let of = GrpcDocument {
            message: json(text),
            ..of.clone()
        };
        assert_eq!(encoded(&of, Some(&method)).unwrap(), expected, "{text}");
    }
    for (text, reason) in [
        (r#"{"ids": "a"}"#, "it is no `shop.Order`"),
        (r#"{"items": ["x"]}"#, "it is no `shop.Order`"),
        (r#"{"id": "${uuid}"}"#, "templates"),
    ] {
        let of = GrpcDocument {
            message: json(text),
            ..of.clone()
        };
        let error = encoded(&of, Some(&method)).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let in_file = GrpcDocument {
        message_file: Some("order.json".to_owned()),
        ..of.clone()
    };
    assert_eq!(encoded(&in_file, Some(&method)).unwrap(), b"\x0a\x01a");
    assert!(
        encoded(&in_file, None)
            .unwrap_err()
            .contains("needs `proto`")
    );
    let hex = |digits: &str| GrpcDocument {
        message_hex: Some(digits.to_owned()),
        ..GrpcDocument::default()
    };
    assert_eq!(encoded(&hex("0a 01\n61"), None).unwrap(), b"\x0a\x01a");
    for digits in ["0", "0g", "ä1"] {
        assert!(
            encoded(&hex(digits), None)
                .unwrap_err()
                .contains("two hexadecimal digits")
        );
    }
    let both = GrpcDocument {
        message_hex: Some("00".to_owned()),
        ..in_file
    };
    assert!(
        encoded(&both, Some(&method))
            .unwrap_err()
            .contains("one of")
    );
}

#[test]
fn a_message_is_behind_its_length_and_a_method_is_a_path() {
    assert_eq!(
        &frame(b"ab", 2).unwrap()[..],
        b"\0\0\0\0\x02ab\0\0\0\0\x02ab"
    );
    assert!(frame(&[0; 1024], 1 << 20).is_err());
    assert_eq!(method_path("a.b.C/D").as_deref(), Ok("/a.b.C/D"));
    assert_eq!(method_path("/a.C/D_1").as_deref(), Ok("/a.C/D_1"));
    for wrong in ["", "a.b.C", "a.b.C/", "/D", "a b/C", "a/b/c", "ä/C"] {
        assert!(method_path(wrong).is_err(), "{wrong}");
    }
}
