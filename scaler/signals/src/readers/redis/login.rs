//! Who asks, and how a server lets in.

use redis::{Cmd, ServerError, cmd};

use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

/// A user, a password and a database. It has secrets, so it does not print.
#[derive(Clone)]
pub(super) struct Login {
    user: Option<String>,
    password: Option<String>,
    database: u64,
    user_key: &'static str,
    password_key: &'static str,
}

impl Login {
    /// That of who reads.
    pub(super) fn of(parameters: &Parameters) -> Self {
        let database = parameters.whole("databaseIndex").unwrap_or_default();
        Self::by(parameters, "username", "password", database)
    }

    /// That of who asks a sentinel.
    pub(super) fn of_sentinel(parameters: &Parameters) -> Self {
        Self::by(parameters, "sentinelUsername", "sentinelPassword", 0)
    }

    fn by(
        parameters: &Parameters,
        user_key: &'static str,
        password_key: &'static str,
        database: u64,
    ) -> Self {
        let owned = |key| parameters.text(key).map(str::to_owned);
        Self {
            user: owned(user_key),
            password: owned(password_key),
            database,
            user_key,
            password_key,
        }
    }

    /// The command that logs in, if there is a password.
    pub(super) fn authenticate(&self) -> Option<Cmd> {
        let password = self.password.as_deref()?;
        let mut command = cmd("AUTH");
        if let Some(user) = &self.user {
            command.arg(user);
        }
        command.arg(password);
        Some(command)
    }

    /// The command that chooses the database, if it is not the one that everybody starts with.
    pub(super) fn select(&self) -> Option<Cmd> {
        let mut command = cmd("SELECT");
        command.arg(self.database);
        (self.database > 0).then_some(command)
    }

    /// Why the server does not let in. What it says at length may have the password.
    pub(super) fn not_let_in(&self, error: &ServerError) -> ReadError {
        let details = error.details().unwrap_or_default();
        let message = match (error.code(), &self.user) {
            ("WRONGPASS", Some(user)) => {
                format!("the user {user} is not let in with this password")
            }
            // The second is what servers before Redis 6 say.
            ("WRONGPASS", None) => "the server does not let in with this password".to_owned(),
            (_, None) if details.starts_with("invalid password") => {
                "the server does not let in with this password".to_owned()
            }
            _ if details.contains("without any password") || details.contains("no password") => {
                "is given, and the server has none; leave it out".to_owned()
            }
            _ if details.starts_with("wrong number of arguments") => {
                let key = self.user_key;
                return ReadError::of(key, "is given, and the server knows no users; leave it out");
            }
            (code, _) if self.is_in(code) => "the server refuses the login".to_owned(),
            (code, _) => format!("the server answers the login with {code}"),
        };
        ReadError::of(self.password_key, message)
    }

    /// Why the database cannot be chosen.
    pub(super) fn not_selected(&self, error: &ServerError) -> ReadError {
        let database = self.database;
        match error.code() {
            "NOAUTH" | "NOPERM" => self.refusal("", error),
            _ => ReadError::of(
                "databaseIndex",
                format!("the server has no database {database}"),
            ),
        }
    }

    /// What it means that the server at `key` refused a command.
    pub(super) fn refusal(&self, key: &'static str, error: &ServerError) -> ReadError {
        let (code, details) = (error.code(), error.details().unwrap_or_default());
        match code {
            "NOAUTH" => ReadError::of(self.password_key, "is missing, and the server asks for one"),
            "NOPERM" => {
                let user = self.user.as_deref().unwrap_or("default");
                let message = format!("the user {user} may not read what is asked for");
                ReadError::of(self.user_key, message)
            }
            _ if self.is_in(code) => ReadError::of(key, "the server refuses what is asked"),
            _ if self.is_in(details) => ReadError::of(key, format!("the server answered {code}")),
            _ => ReadError::of(key, format!("the server answered {code} {details}")),
        }
    }

    /// Whether a text has the password.
    fn is_in(&self, text: &str) -> bool {
        let password = self.password.as_deref();
        password.is_some_and(|password| !password.is_empty() && text.contains(password))
    }
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn login(user: Option<&str>) -> Login {
        Login {
            user: user.map(str::to_owned),
            password: Some("hunter2".to_owned()),
            database: 3,
            user_key: "username",
            password_key: "password",
        }
    }

    fn error(text: &str) -> ServerError {
        match parse_redis_value(format!("-{text}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => error,
            other => panic!("{text} is an error, not {other:?}"),
        }
    }

    #[test]
    fn a_login_that_is_refused_is_explained_without_the_password() {
        for (user, said, expected) in [
            (
                Some("scaler"),
                "WRONGPASS invalid username-password pair or user is disabled.",
                "password: the user scaler is not let in with this password",
            ),
            (
                None,
                "WRONGPASS invalid username-password pair",
                "password: the server does not let in with this password",
            ),
            (
                None,
                "ERR invalid password",
                "password: the server does not let in with this password",
            ),
            (
                None,
                "ERR AUTH <password> called without any password configured for the default user.",
                "password: is given, and the server has none; leave it out",
            ),
            (
                None,
                "ERR Client sent AUTH, but no password is set",
                "password: is given, and the server has none; leave it out",
            ),
            (
                Some("scaler"),
                "ERR wrong number of arguments for 'auth' command",
                "username: is given, and the server knows no users; leave it out",
            ),
            (
                None,
                "ERR unknown command 'AUTH', with args beginning with: 'hunter2'",
                "password: the server answers the login with ERR",
            ),
        ] {
            let found = login(user).not_let_in(&error(said)).to_string();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_a_server_refuses_is_said_by_key() {
        for (said, expected) in [
            (
                "NOAUTH Authentication required.",
                "password: is missing, and the server asks for one",
            ),
            (
                "NOPERM this user has no permissions to run the 'llen' command",
                "username: the user default may not read what is asked for",
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                "address: the server answered LOADING Redis is loading the dataset in memory",
            ),
            ("ERR hunter2", "address: the server answered ERR"),
        ] {
            let found = login(None).refusal("address", &error(said)).to_string();
            assert_eq!(found, expected);
        }
        let found = login(None).not_selected(&error("ERR DB index is out of range"));
        let expected = "databaseIndex: the server has no database 3";
        assert_eq!(found.to_string(), expected);
    }
}
