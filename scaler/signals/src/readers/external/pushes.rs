//! What an external scaler says of itself, by `StreamIsActive`.

use std::future::pending;
use std::pin::Pin;

use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use ebbtide_proto::external_scaler::{IsActiveResponse, ScaledObjectRef};
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

/// What the scaler says, if it is listened to.
#[derive(Default)]
pub(super) struct Pushes {
    are_wanted: bool,
    stream: Stream,
    /// Whether it has said that there is something to do, since the last read.
    has_said_so: bool,
    /// Whether the last read has found so.
    is_known: bool,
}

/// An answer that comes when the scaler has something to say for the first time.
type Opening =
    Pin<Box<dyn Future<Output = Result<Response<Streaming<IsActiveResponse>>, Status>> + Send>>;

#[derive(Default)]
enum Stream {
    #[default]
    Closed,
    Opening(Opening),
    Open(Box<Streaming<IsActiveResponse>>),
}

impl Pushes {
    /// Those of a scaler that is listened to.
    pub(super) fn wanted() -> Self {
        Self {
            are_wanted: true,
            ..Self::default()
        }
    }

    /// Opens the stream, unless it is. What comes of that is known when it is listened to.
    pub(super) fn open(
        &mut self,
        client: &ExternalScalerClient<Channel>,
        object: &ScaledObjectRef,
    ) {
        if self.are_wanted && matches!(self.stream, Stream::Closed) {
            let (mut client, object) = (client.clone(), object.clone());
            let opening = async move { client.stream_is_active(object).await };
            self.stream = Stream::Opening(Box::pin(opening));
        }
    }

    /// Whether the scaler is active, by what it says when it is asked and by what it has said.
    pub(super) fn settle(&mut self, is_active: bool) -> bool {
        self.is_known = is_active || self.has_said_so;
        self.has_said_so = false;
        self.is_known
    }

    /// Ends when the scaler says that there is something to do, if that is not known.
    pub(super) async fn news(&mut self) {
        loop {
            match &mut self.stream {
                Stream::Closed => return pending().await,
                Stream::Opening(opening) => {
                    self.stream = match opening.await {
                        Ok(answer) => Stream::Open(Box::new(answer.into_inner())),
                        // The next read opens another one, and the scaler is asked all the same.
                        Err(_) => Stream::Closed,
                    };
                }
                Stream::Open(stream) => match stream.message().await {
                    Ok(Some(IsActiveResponse { result: true })) => {
                        self.has_said_so = true;
                        if !self.is_known {
                            return;
                        }
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => self.stream = Stream::Closed,
                },
            }
        }
    }
}
