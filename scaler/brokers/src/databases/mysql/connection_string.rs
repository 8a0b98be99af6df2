//! Connection strings.

use percent_encoding::percent_decode_str;

use super::settings::{Settings, Tls};

/// Parameters of Go's client about things that are as they are here.
const IGNORED: [&str; 23] = [
    "allowAllFiles",
    "allowFallbackToPlaintext",
    "allowNativePasswords",
    "allowOldPasswords",
    "charset",
    "checkConnLiveness",
    "clientFoundRows",
    "collation",
    "columnsWithAlias",
    "compress",
    "connectionAttributes",
    "interpolateParams",
    "loc",
    "maxAllowedPacket",
    "multiStatements",
    "parseTime",
    "readTimeout",
    "rejectReadOnly",
    "serverPubKey",
    "strict",
    "timeTruncate",
    "timeout",
    "writeTimeout",
];

/// The settings of `user:password@tcp(host:port)/database?parameter=value`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that has nothing of it.
pub(super) fn parse(text: &str) -> Result<Settings, String> {
    // A password may have any of the characters that divide, so that the last of each counts.
    let (before, after) = text
        .trim()
        .rsplit_once('/')
        .ok_or("is not like USER:PASSWORD@tcp(HOST:PORT)/DATABASE: it has no /")?;
    let (login, place) = before.rsplit_once('@').unwrap_or(("", before));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    if user.is_empty() {
        return Err("names no user".to_owned());
    }
    let (host, port) = host_and_port(place)?;
    let (database, parameters) = after.split_once('?').unwrap_or((after, ""));
    let mut settings = Settings::of(host, port, user);
    settings.password = given(password.to_owned());
    settings.database = given(decoded(database)?);
    for pair in parameters.split('&') {
        // As Go's client does, which passes over the others.
        if let Some((name, value)) = pair.split_once('=') {
            parameter(&mut settings, name, value)?;
        }
    }
    Ok(settings)
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The host and the port of `tcp(host:port)`.
fn host_and_port(place: &str) -> Result<(&str, u16), String> {
    const USUAL: u16 = 3306;
    if place.is_empty() || place == "tcp" {
        return Ok(("127.0.0.1", USUAL));
    }
    let address = place
        .strip_prefix("tcp(")
        .and_then(|place| place.strip_suffix(')'))
        .ok_or("names its server not as tcp(HOST:PORT)")?;
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("has a [ without its end")?;
            (host, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => address.split_once(':').unwrap_or((address, "")),
    };
    if host.is_empty() {
        return Err("names no host".to_owned());
    }
    let port = match port {
        "" => Some(USUAL),
        _ => port.parse().ok().filter(|port| *port > 0),
    };
    Ok((host, port.ok_or("has a port that is not 1 to 65535")?))
}

fn parameter(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
    let value = decoded(&value.replace('+', " "))?;
    match name {
        "tls" => {
            let known = "false, true, skip-verify and preferred are known";
            let unknown = || format!("has a value of tls that is not known; {known}");
            settings.tls = Tls::parse(&value).ok_or_else(unknown)?;
        }
        "allowCleartextPasswords" => {
            settings.is_told_password = matches!(value.as_str(), "true" | "TRUE" | "True" | "1");
        }
        _ if IGNORED.contains(&name) => {}
        _ => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@');
            if name.is_empty() || !name.chars().all(is_plain) {
                return Err("has a parameter that is no variable of a session".to_owned());
            }
            settings.variables.push((name.to_owned(), value));
        }
    }
    Ok(())
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "has something after % that is no text")?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(settings: &Settings) -> String {
        format!(
            "{} {} | {} | {} | {} | {:?} | {:?}",
            settings.host,
            settings.port,
            settings.user,
            settings.password.as_deref().unwrap_or("-"),
            settings.database.as_deref().unwrap_or("-"),
            settings.tls,
            settings.variables,
        )
    }

    #[test]
    fn they_are_read_as_gos_client_reads_them() {
        for (text, expected) in [
            ("u:p@tcp(db:3307)/d", "db 3307 | u | p | d | Off | []"),
            ("u@tcp(db)/", "db 3306 | u | - | - | Off | []"),
            ("u:p@/d", "127.0.0.1 3306 | u | p | d | Off | []"),
            ("u:p@tcp/d", "127.0.0.1 3306 | u | p | d | Off | []"),
            (
                "u:@:p/w(@tcp([::1]:1)/a%2Fb",
                "::1 1 | u | @:p/w( | a/b | Off | []",
            ),
            (
                "u:p@tcp(db)/d?tls=true",
                "db 3306 | u | p | d | Trusted | []",
            ),
            (
                "u:p@tcp(db)/d?tls=Skip-Verify&x",
                "db 3306 | u | p | d | AnyServer | []",
            ),
            (
                "u:p@tcp(db)/d?parseTime=true&time_zone=%27%2B01:00%27&tls=preferred",
                "db 3306 | u | p | d | IfPossible | [(\"time_zone\", \"'+01:00'\")]",
            ),
        ] {
            let settings = Settings::parse(text);
            assert_eq!(
                settings.as_ref().map(shown),
                Ok(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_what_is_in_it() {
        for (text, expected) in [
            ("", "is not like USER:PASSWORD@tcp(HOST:PORT)/DATABASE"),
            (
                "u:hunter2@tcp(db)",
                "is not like USER:PASSWORD@tcp(HOST:PORT)/DATABASE",
            ),
            ("tcp(db)/hunter2", "names no user"),
            (":hunter2@tcp(db)/d", "names no user"),
            (
                "u:hunter2@unix(/run/x)/d",
                "names its server not as tcp(HOST:PORT)",
            ),
            (
                "u:hunter2@tcp(db/d",
                "names its server not as tcp(HOST:PORT)",
            ),
            (
                "u:hunter2@db:3306/d",
                "names its server not as tcp(HOST:PORT)",
            ),
            ("u:hunter2@tcp(:3306)/d", "names no host"),
            ("u:hunter2@tcp([::1)/d", "has a [ without its end"),
            (
                "u:hunter2@tcp(db:hunter2)/d",
                "has a port that is not 1 to 65535",
            ),
            (
                "u:hunter2@tcp(db)/d?tls=hunter2",
                "has a value of tls that is not known",
            ),
            (
                "u:hunter2@tcp(db)/d?a-b=hunter2",
                "has a parameter that is no variable",
            ),
            (
                "u:hunter2@tcp(db)/%ff",
                "has something after % that is no text",
            ),
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
            // The client has no way to write an `@` or `/` that is not the last one.
            password in "[ -~]{1,12}",
            host in "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}",
            port in 1_u16..,
        ) {
            let settings = Settings::parse(&format!("{user}:{password}@tcp({host}:{port})/orders"));
            let settings = settings.map_err(TestCaseError::fail)?;
            let expected = format!("{host} {port} | {user} | {password} | orders | Off | []");
            prop_assert_eq!(shown(&settings), expected);
        }

        #[test]
        fn whatever_is_wrong_is_said_without_showing_it(
            before in "[a-z=@:/?&%()]{0,20}",
            after in "[a-z=@:/?&%()]{0,20}",
        ) {
            let text = format!("{before}Hunter2{after}");
            if let Err(error) = Settings::parse(&text) {
                prop_assert!(!error.contains("Hunter2"), "{}: {}", text, error);
            }
        }
    }
}
