//! What is wrong, and how it is said.

use tokio::net::TcpListener;

use super::*;

/// A rule for a queue of whatever is at an address.
fn at(address: &str) -> Case {
    let case = Case::of("rabbitmq").with("queueName", "orders");
    case.secret("host", address)
}

/// The same for a user by the keys of it.
fn by_user(case: &Case, name: &str, password: &str) -> Case {
    case.with("username", name).secret("password", password)
}

async fn assert_errors(cases: &[(Case, &str)]) {
    for (case, expected) in cases {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn either_protocol_says_what_is_wrong_by_key() {
    let rabbitmq = RabbitMq::start().await;
    rabbitmq.fill(DEFAULT, "orders", 1).await;
    let nobody = refusing().await;
    // The system accepts connections, and nobody speaks.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (silent.local_addr().unwrap().to_string(), silent);
    for (scheme, port, case) in [
        ("http", rabbitmq.ports.http, rabbitmq.by_http("orders")),
        ("amqp", rabbitmq.ports.amqp, rabbitmq.by_amqp("orders")),
    ] {
        let of = |user: &str, place: &str| at(&format!("{scheme}://{user}{place}/"));
        let place = format!("127.0.0.1:{port}");
        let refused = match scheme {
            "http" => "host: Connection refused (os error 111)".to_owned(),
            _ => format!("host: cannot connect to {nobody}: Connection refused (os error 111)"),
        };
        assert_errors(&[
            (
                case.with("queueName", "missing"),
                "queueName: there is no queue missing in the virtual host /",
            ),
            (
                of("ebbtide:hunter2@", &place),
                "host: the user ebbtide is not let in with this password",
            ),
            (
                by_user(&case, USER, "hunter2"),
                "password: the user ebbtide is not let in with this password",
            ),
            (of("a:hunter2@", &nobody.to_string()), &refused),
            (
                of("a:hunter2@", &silent.0).with("timeout", "100"),
                "timeout: there was no answer within 100 ms",
            ),
            (
                of("a:hunter2@", "nowhere.invalid"),
                "host: the host nowhere.invalid cannot be resolved",
            ),
        ])
        .await;
        let error = case.read_within(Some(Reach::default())).await.unwrap_err();
        let expected = "host: 127.0.0.1 is refused: a loopback address";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn each_protocol_says_what_only_it_can() {
    let rabbitmq = RabbitMq::start().await;
    rabbitmq.fill(DEFAULT, "orders", 1).await;
    rabbitmq.make_vhost("shop").await;
    rabbitmq.make_user("nobody", "").await;
    rabbitmq.make_user("watcher", "monitoring").await;
    let (http, amqp) = (rabbitmq.by_http("orders"), rabbitmq.by_amqp("orders"));
    assert_errors(&[
        (
            at(&format!("http://127.0.0.1:{}", rabbitmq.ports.http)),
            "username: is missing, and the server asks for a user",
        ),
        (
            http.with("vhostName", "nowhere"),
            "queueName: there is no queue orders in the virtual host nowhere",
        ),
        (
            by_user(&http, "nobody", PASSWORD),
            "password: the user nobody may not use the management plugin; give it a tag",
        ),
        (
            by_user(&http, "watcher", PASSWORD).with("vhostName", "shop"),
            "vhostName: the user watcher may not use the virtual host shop",
        ),
        (
            amqp.with("vhostName", "nowhere"),
            "vhostName: there is no virtual host nowhere, or the user may not use it",
        ),
        (
            by_user(&amqp, "nobody", PASSWORD),
            "host: there is no virtual host /, or the user may not use it",
        ),
        (
            amqp.with("queueName", &"x".repeat(256)),
            "queueName: has a name of more than 255 bytes",
        ),
        (
            amqp.with("protocol", "http"),
            "host: is not of the protocol http; begin it with http:// or https://",
        ),
        (
            at("redis://a:hunter2@127.0.0.1"),
            "host: begins with none of http://, https://, amqp:// and amqps://",
        ),
        (
            amqp.with("excludeUnacknowledged", "true"),
            "excludeUnacknowledged: asks for what AMQP does not say",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_is_trusted_by_the_root_that_is_given_and_a_user_by_a_certificate() {
    let rabbitmq = RabbitMq::start().await;
    rabbitmq.fill(DEFAULT, "orders", 3).await;
    let certificates = &rabbitmq.certificates;
    for (scheme, port) in [
        ("https", rabbitmq.ports.https),
        ("amqps", rabbitmq.ports.amqps),
    ] {
        let case = at(&RabbitMq::address(scheme, port, ""));
        let right = case.secret("ca", &certificates.ca);
        assert_eq!(right.read().await.map(|read| read.value), Ok(3.0));
        let any = case.with("unsafeSsl", "true");
        assert_eq!(any.read().await.map(|read| read.value), Ok(3.0));
        let named = RabbitMq::address(scheme, port, "").replace("127.0.0.1", "localhost");
        for (case, expected) in [
            (
                case.secret("ca", &Certificates::other_ca()),
                "ca: is not what the server's certificate is signed by",
            ),
            (case.clone(), "host: "),
            (right.secret("host", &named), "host: "),
        ] {
            let error = case.error().await;
            assert!(error.starts_with(expected), "{error}");
            assert!(error.contains("certificate"), "{error}");
        }
    }
    // The user of a certificate needs no password.
    let user = certificates.sign("certified", &[]);
    let amqps = at(&format!("amqps://127.0.0.1:{}", rabbitmq.ports.amqps));
    let certified = amqps
        .secret("ca", &certificates.ca)
        .secret("cert", &user.cert)
        .secret("key", &user.key);
    let enabled = certified.with("tls", "enable");
    let error = enabled.error().await;
    assert_eq!(error, "cert: is of no user that the server lets in");
    rabbitmq.make_user("certified", "").await;
    rabbitmq.permit("certified").await;
    assert_eq!(enabled.read().await, Ok(Amount::from(3.0)));
}
