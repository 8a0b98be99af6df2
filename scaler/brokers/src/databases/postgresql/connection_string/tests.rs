use proptest::prelude::*;

use super::super::settings::{Settings, SslMode};

fn shown(settings: &Settings) -> String {
    let hosts: Vec<String> = settings
        .hosts
        .iter()
        .map(|(host, port)| format!("{host} {port}"))
        .collect();
    format!(
        "{} | {} | {} | {} | {:?} | {:?} | {}",
        hosts.join(", "),
        settings.user,
        settings.password.as_deref().unwrap_or("-"),
        settings.database.as_deref().unwrap_or("-"),
        settings.ssl_mode,
        settings.target,
        settings.options,
    )
}

#[test]
fn either_form_is_read() {
    for (text, expected) in [
        ("host=pg user=u", "pg 5432 | u | - | - | Prefer | Any | "),
        (
            "  HOST = pg  port= 5433 user='a b' password='it\\'s \\\\ =' dbname=d\tsslmode=require ",
            "pg 5433 | a b | it's \\ = | d | Require | Any | ",
        ),
        (
            "host=a,b port=1,2 user=u target_session_attrs=read-write",
            "a 1, b 2 | u | - | - | Prefer | ReadWrite | ",
        ),
        (
            "host=a,b port=7 user=u",
            "a 7, b 7 | u | - | - | Prefer | Any | ",
        ),
        (
            "host=::1 user=u password=''",
            "::1 5432 | u | - | - | Prefer | Any | ",
        ),
        (
            "postgresql://u:p%40%3A%2F@pg:5433/d?sslmode=verify-full",
            "pg 5433 | u | p@:/ | d | VerifyFull | Any | ",
        ),
        ("postgres://u@pg", "pg 5432 | u | - | - | Prefer | Any | "),
        (
            "postgres://u:p@[::1]:1,b/d?target_session_attrs=standby",
            "::1 1, b 5432 | u | p | d | Prefer | Standby | ",
        ),
        (
            "postgres://u:p@pg/d?search_path=a%2C+b&options=-c%20x.y=1&pool_max_conns=5",
            "pg 5432 | u | p | d | Prefer | Any | -c x.y=1 -c search_path=a,\\ b",
        ),
        (
            "host=pg user=u application_name=a\\\\b",
            "pg 5432 | u | - | - | Prefer | Any | -c application_name=a\\\\b",
        ),
    ] {
        let settings = Settings::parse(text);
        assert_eq!(
            settings.as_ref().map(shown),
            Ok(expected.to_owned()),
            "{text}"
        );
    }
    assert_eq!(SslMode::parse("on"), None);
}

#[test]
fn what_is_wrong_is_said_without_what_is_in_it() {
    for (text, expected) in [
        ("", "names no host"),
        (
            "hunter2",
            "is neither postgresql://… nor word=value word=value",
        ),
        (
            "mysql://u:hunter2@h/d",
            "is neither postgresql://… nor word=value word=value",
        ),
        ("user=u password=hunter2", "names no host"),
        ("host=pg password=hunter2", "names no user"),
        (
            "host=/run user=u password=hunter2",
            "names a socket of Unix",
        ),
        ("host=a,,b user=u", "has a host without a name"),
        (
            "host=pg user=u port=hunter2",
            "has a port that is not 1 to 65535",
        ),
        (
            "host=pg user=u password='hunter2",
            "has a quote without its end",
        ),
        (
            "host=pg user=u sslmode=hunter2",
            "has a value of sslmode that is not",
        ),
        ("host=pg user=u host=hunter2", "has host twice"),
        (
            "host=pg user=u sslrootcert=/hunter2",
            "has sslrootcert, and no file is read",
        ),
        ("host=pg user=u hostaddr=10.0.0.1", "has hostaddr"),
        (
            "host=pg user=u target_session_attrs=x",
            "has a value of target_session_attrs",
        ),
        (
            "host=pg user=u a-b=hunter2",
            "has a word that is none of PostgreSQL's",
        ),
        ("postgres://u:hunter2@pg/d?host=other", "has host twice"),
        (
            "postgres://u:%ff@pg/d",
            "has something after % that is no text",
        ),
        ("postgres://u:hunter2@pg/d?x", "has a word without a value"),
    ] {
        let error = Settings::parse(text)
            .map(|settings| shown(&settings))
            .unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn an_address_has_what_was_written_into_it(
        user in "[a-z]{1,8}",
        password in "[ -~]{1,12}",
        host in "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}",
        port in 1_u16..,
    ) {
        let encoded = percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC);
        let text = format!("postgresql://{user}:{encoded}@{host}:{port}/orders");
        let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
        let pairs = format!("host={host} port={port} user={user} password='{quoted}' dbname=orders");
        for text in [text, pairs] {
            let settings = Settings::parse(&text).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&settings.hosts, &vec![(host.clone(), port)]);
            prop_assert_eq!(&settings.user, &user);
            prop_assert_eq!(settings.password.as_deref(), Some(password.as_str()));
        }
    }

    #[test]
    fn whatever_is_wrong_is_said_without_showing_it(
        before in "(postgres://)?[a-z=@:/?&%' \\\\]{0,20}",
        after in "[a-z=@:/?&%' \\\\]{0,20}",
    ) {
        let text = format!("{before}Hunter2{after}");
        if let Err(error) = Settings::parse(&text) {
            prop_assert!(!error.contains("Hunter2"), "{}: {}", text, error);
        }
    }
}
