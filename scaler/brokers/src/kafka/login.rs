//! Who logs in, and how.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use super::SERVERS;
use super::answers::FINE;
use super::api::{SASL_AUTHENTICATE, SASL_HANDSHAKE};
use super::connection::Connection;
use super::scram::{First, Hash};
use super::wire::{Answer, Nonsense, Question};
use crate::error::ReadError;

/// A user and how it logs in. It does not print.
#[derive(Clone)]
pub struct Login {
    /// How.
    pub mechanism: Mechanism,
    /// Who.
    pub user: String,
    /// The password.
    pub password: String,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The password is sent.
    Plain,
    /// It is not.
    ScramSha256,
    /// Nor here.
    ScramSha512,
}

impl Mechanism {
    /// The mechanism that KEDA calls so; none for `none`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "plaintext" => Some(Self::Plain),
            "scram_sha256" => Some(Self::ScramSha256),
            "scram_sha512" => Some(Self::ScramSha512),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Login {
    /// Logs in to a broker.
    pub(super) async fn to(&self, broker: &mut Connection) -> Result<(), ReadError> {
        self.agree(broker).await?;
        let hash = match self.mechanism {
            Mechanism::Plain => {
                let message = format!("\0{}\0{}", self.user, self.password);
                return authenticate(broker, &message).await.map(drop);
            }
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
        };
        let first = First::new(hash, &self.user, nonce()?);
        let answer = authenticate(broker, &first.message()).await?;
        let last = first.proof(&answer, &self.password);
        let last =
            last.ok_or_else(|| ReadError::of("sasl", "the broker does not answer as SCRAM"))?;
        let answer = authenticate(broker, &last.message).await?;
        if answer.split(',').next() == Some(&last.expected) {
            return Ok(());
        }
        let message =
            "the broker does not know the password itself, so that it is not who it should be";
        Err(ReadError::of(SERVERS, message))
    }

    /// Tells the broker how.
    async fn agree(&self, broker: &mut Connection) -> Result<(), ReadError> {
        let name = self.mechanism.name();
        let mut question = Question::default();
        question.text(name);
        let answer = broker.ask(SASL_HANDSHAKE, &question).await?;
        let (error, known) = broker.read(&answer, |mut answer| {
            Ok((answer.i16()?, answer.list(Answer::text)?))
        })?;
        if error == FINE {
            return Ok(());
        }
        let known = known.join(", ");
        let message = format!("the broker does not take {name}; it takes {known}");
        Err(ReadError::of("sasl", message))
    }
}

/// Says something to whoever checks the login, and returns what that says.
async fn authenticate(broker: &mut Connection, message: &str) -> Result<String, ReadError> {
    let mut question = Question::default();
    question.bytes(message.as_bytes());
    let answer = broker.ask(SASL_AUTHENTICATE, &question).await?;
    let (error, said) = broker.read(&answer, |mut answer| {
        let error = answer.i16()?;
        answer.text()?;
        let said = std::str::from_utf8(answer.bytes()?).map_err(|_| Nonsense)?;
        Ok((error, said.to_owned()))
    })?;
    if error == FINE {
        return Ok(said);
    }
    // What the broker says may be anything.
    Err(ReadError::of(
        "password",
        "the broker does not take the user and password",
    ))
}

fn nonce() -> Result<String, ReadError> {
    let mut bytes = [0; 18];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| ReadError::new("this machine has no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
