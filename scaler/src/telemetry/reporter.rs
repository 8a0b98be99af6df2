//! Tells every replica of the scaler what this ingress counts.

mod connect;
mod messages;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::clock::SystemClock;
use crate::control::Control;
use crate::log::Said;

pub use connect::{ScalerAddress, ScalerTls};
use messages::Messages;

/// How often the scaler's name is resolved.
const RESOLVE: Duration = Duration::from_secs(1);

/// How long that may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The most replicas of the scaler that are told; a name that has more addresses is a mistake.
const MOST: usize = 64;

/// Time between messages when nothing asks for one at once.
const PERIOD: Duration = Duration::from_millis(250);

/// Time from a failure to the next attempt: this at first, then twice as long each time.
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Reports what the ingress of this process counts.
#[derive(Clone)]
pub struct Reporter {
    /// The way to the control task, which has the counters.
    pub control: Control,
    /// The ingress's clock.
    pub clock: Arc<SystemClock>,
    /// What the ingress is called; no other one is called so.
    pub ingress: Arc<str>,
    /// Another number for each start of the ingress.
    pub run: u64,
    /// Where the scaler is.
    pub scaler: ScalerAddress,
    /// How to speak to it; in the clear if none.
    pub tls: Option<ScalerTls>,
    /// The number of the last message.
    pub sequence: Arc<AtomicU64>,
}

impl Reporter {
    /// Keeps a stream to each address of the scaler until `stopping`; then says farewell on each.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut streams = JoinSet::new();
        let mut told: BTreeMap<SocketAddr, AbortHandle> = BTreeMap::new();
        let mut said = Said::default();
        let mut ticks = interval(RESOLVE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => break,
            }
            // A stream that lost its connection retries by itself; only its end is of interest here.
            while streams.try_join_next().is_some() {}
            let Some(addresses) = self.resolve(&mut said).await else {
                continue;
            };
            told.retain(|address, stream| {
                let stays = addresses.contains(address);
                if !stays {
                    tracing::info!(scaler = %address, "the scaler has left this address");
                    stream.abort();
                }
                stays
            });
            for address in addresses {
                told.entry(address).or_insert_with(|| {
                    let (one, stopping) = (self.clone(), stopping.clone());
                    streams.spawn(async move { one.tell(address, stopping).await })
                });
            }
        }
        // Each ends by itself, within the time of a farewell.
        while streams.join_next().await.is_some() {}
    }

    /// The scaler's addresses; none if they are not known, which is said once.
    async fn resolve(&self, said: &mut Said) -> Option<Vec<SocketAddr>> {
        let target = (self.scaler.host.as_str(), self.scaler.port);
        let because = match timeout(RESOLVE_TIMEOUT, lookup_host(target)).await {
            Ok(Ok(addresses)) => {
                let mut addresses: Vec<SocketAddr> = addresses.collect();
                addresses.sort_unstable();
                addresses.dedup();
                addresses.truncate(MOST);
                said.clear();
                return Some(addresses);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", RESOLVE_TIMEOUT.as_secs()),
        };
        if said.is_news(&because) {
            tracing::warn!(
                "the scaler {} cannot be resolved: {because}; requests are served all the same",
                self.scaler
            );
        }
        None
    }

    /// Tells one replica of the scaler, again and again if need be, until `stopping`.
    async fn tell(&self, address: SocketAddr, stopping: watch::Receiver<bool>) {
        let mut retry = RETRY;
        let mut said = Said::default();
        while !*stopping.borrow() {
            match self.stream(address, stopping.clone(), &mut retry).await {
                Ok(()) => said.clear(),
                Err(error) => {
                    let message = format!("{error:#}");
                    if said.is_news(&message) {
                        tracing::warn!(scaler = %address, "the scaler hears nothing: {message}");
                    }
                }
            }
            let mut stopping = stopping.clone();
            tokio::select! {
                () = sleep(retry) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            retry = (retry * 2).min(LONGEST_RETRY);
        }
    }

    /// One stream, until the scaler ends it or this is told to stop.
    async fn stream(
        &self,
        address: SocketAddr,
        stopping: watch::Receiver<bool>,
        retry: &mut Duration,
    ) -> anyhow::Result<()> {
        let mut client = connect::connect(&self.scaler, address, self.tls.as_ref()).await?;
        // One may wait to be sent; what is made after it has newer counts.
        let (sender, receiver) = mpsc::channel(1);
        let outgoing = futures_util::stream::unfold(receiver, async |mut receiver| {
            Some((receiver.recv().await?, receiver))
        });
        let call = client.report(outgoing);
        let messages = Messages::new(self);
        let sending = messages.send(sender, stopping);
        tokio::pin!(call, sending);
        tokio::select! {
            answer = &mut call => {
                *retry = RETRY;
                answer?;
                return Ok(());
            }
            () = &mut sending => {}
        }
        // Everything is sent, and the stream is at its end.
        match timeout(FAREWELL, call).await {
            Ok(answer) => drop(answer?),
            Err(_) => anyhow::bail!("no answer to the farewell"),
        }
        Ok(())
    }
}
