//! A connection to one broker.

use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::answers::FINE;
use super::api::{API_VERSIONS, Api, NEEDED};
use super::wire::{Answer, Nonsense, Question};
use super::{Address, SERVERS};
use crate::connect::{Connect, Security};
use crate::error::ReadError;

/// The longest answer, in bytes.
const LONGEST: usize = 4 << 20;
/// Who asks, as brokers' logs and quotas have it.
const CLIENT: &str = "ebbtide";

/// What a connection is made of.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// A connection to one broker, for one question at a time.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    address: Address,
    /// The number of the last question.
    number: i32,
}

impl Connection {
    /// Connects, and makes sure that the broker knows what will be asked.
    pub(super) async fn open(
        connect: &Connect,
        address: &Address,
        security: Option<&Security>,
    ) -> Result<Self, ReadError> {
        let Address { host, port } = address;
        let stream: Box<dyn Stream> = match security {
            Some(security) => Box::new(connect.secured(SERVERS, (host, *port), security).await?),
            None => Box::new(connect.tcp(SERVERS, host, *port).await?),
        };
        let mut connection = Self {
            stream,
            address: address.clone(),
            number: 0,
        };
        connection.check_versions().await?;
        Ok(connection)
    }

    /// Whether it can be asked: the broker has not closed it, and has said nothing that nobody asked for.
    pub(super) fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let mut context = Context::from_waker(Waker::noop());
        let read = Pin::new(&mut self.stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
        read.is_pending()
    }

    async fn check_versions(&mut self) -> Result<(), ReadError> {
        let answer = self.ask(API_VERSIONS, &Question::default()).await?;
        let (error, known) = self.read(&answer, |mut answer| {
            let error = answer.i16()?;
            let known = answer.list(|answer| Ok((answer.i16()?, answer.i16()?..=answer.i16()?)))?;
            Ok((error, known))
        })?;
        if error != FINE {
            return Err(self.wrong(Nonsense));
        }
        let is_known = |api: &Api| {
            let mut known = known.iter();
            known.any(|(key, versions)| *key == api.key && versions.contains(&api.version))
        };
        let Some(api) = NEEDED.iter().find(|api| !is_known(api)) else {
            return Ok(());
        };
        let (address, Api { name, version, .. }) = (&self.address, api);
        let message = format!(
            "{address} does not know version {version} of {name}, as brokers from Kafka 1.0 to 4 do"
        );
        Err(ReadError::of(SERVERS, message))
    }

    /// The answer to a question.
    pub(super) async fn ask(
        &mut self,
        api: Api,
        question: &Question,
    ) -> Result<Vec<u8>, ReadError> {
        self.number = self.number.wrapping_add(1);
        let mut head = Question::default();
        head.i16(api.key);
        head.i16(api.version);
        head.i32(self.number);
        head.text(CLIENT);
        let mut all = Question::default();
        all.length(head.written().len() + question.written().len());
        let all = [all.written(), head.written(), question.written()].concat();
        let answered = async {
            self.stream.write_all(&all).await?;
            self.stream.flush().await?;
            let length = self.stream.read_i32().await?;
            let Some(length) = usize::try_from(length)
                .ok()
                .filter(|length| *length <= LONGEST)
            else {
                return Ok(None);
            };
            let mut answer = vec![0; length];
            self.stream.read_exact(&mut answer).await?;
            Ok(Some(answer))
        };
        let answered: io::Result<_> = answered.await;
        let answer = answered.map_err(|error| self.broken(api, &error))?;
        let Some(mut answer) = answer else {
            let (address, most) = (&self.address, LONGEST >> 20);
            let message = format!(
                "{address} answers with more than {most} MiB, or not as Kafka does; is tls what it \
                 should be?"
            );
            return Err(ReadError::of(SERVERS, message));
        };
        let number = Answer::of(&answer).i32();
        if number != Ok(self.number) {
            return Err(self.wrong(Nonsense));
        }
        Ok(answer.split_off(size_of::<i32>()))
    }

    /// What an answer says.
    pub(super) fn read<'a, T>(
        &self,
        answer: &'a [u8],
        read: impl FnOnce(Answer<'a>) -> Result<T, Nonsense>,
    ) -> Result<T, ReadError> {
        read(Answer::of(answer)).map_err(|nonsense| self.wrong(nonsense))
    }

    fn wrong(&self, Nonsense: Nonsense) -> ReadError {
        let message = format!("{} does not answer as Kafka does", self.address);
        ReadError::of(SERVERS, message)
    }

    fn broken(&self, api: Api, error: &io::Error) -> ReadError {
        let (address, Api { name, .. }) = (&self.address, api);
        // What a broker does with whoever speaks otherwise than its port is for.
        let message = if error.kind() == io::ErrorKind::UnexpectedEof {
            format!(
                "{address} closes the connection when asked for {name}; are tls and sasl what they \
                     should be?"
            )
        } else {
            format!("{address}: {error}")
        };
        ReadError::of(SERVERS, message)
    }
}

#[cfg(test)]
mod tests;
