//! Which of several servers can be used.

use tokio_postgres::{Client, Error};

/// What a server has to be, as `target_session_attrs` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    #[default]
    Any,
    /// It can be written to.
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

impl Target {
    /// The target of this name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            _ => return None,
        })
    }

    /// Whether a server is that. The session must not have been changed yet.
    pub(super) async fn is_met(self, client: &Client) -> Result<bool, Error> {
        const IS_STANDBY: &str = "SELECT pg_catalog.pg_is_in_recovery()";
        const IS_READ_ONLY: &str = "SELECT pg_catalog.pg_is_in_recovery() OR \
                                    pg_catalog.current_setting('default_transaction_read_only')::bool";
        let (question, wanted) = match self {
            Self::Any => return Ok(true),
            Self::ReadWrite => (IS_READ_ONLY, false),
            Self::ReadOnly => (IS_READ_ONLY, true),
            Self::Primary => (IS_STANDBY, false),
            Self::Standby => (IS_STANDBY, true),
        };
        let row = client.query_one(question, &[]).await?;
        Ok(row.try_get::<_, bool>(0)? == wanted)
    }
}
