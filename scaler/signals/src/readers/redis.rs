//! `redis` and `redis-streams`: lists, sets, sorted sets, hashes and streams; alone, with sentinels and
//! as a cluster.

mod amount;
mod nodes;

use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::error::ReadError;
use crate::parameters::Parameters;
use amount::Ask;
use nodes::{Node, Nodes};

struct Redis {
    nodes: Nodes,
    ask: Ask,
    /// The node that has the key, once it is known.
    node: Option<Node>,
}

/// A reader for these parameters.
///
/// # Errors
/// An address that is none, or TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    Ok(Box::new(Redis {
        nodes: Nodes::of(parameters, context)?,
        ask: Ask::of(parameters)?,
        node: None,
    }))
}

impl Reader for Redis {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.ask())
    }
}

impl Redis {
    async fn ask(&mut self) -> Result<Amount, ReadError> {
        let node = match &mut self.node {
            Some(node) => node,
            None => self.node.insert(self.nodes.first().await?),
        };
        let failed = match self.ask.read(node).await {
            Ok(amount) => return Ok(amount),
            Err(failed) => failed,
        };
        // One node of a cluster has the key, and any other says which.
        let Some((host, port)) = self.nodes.redirected(&failed) else {
            return Err(self.ask.error(&failed));
        };
        let node = self.nodes.connect(&host, port).await?;
        let read = self.ask.read(self.node.insert(node)).await;
        read.map_err(|failed| self.ask.error(&failed))
    }
}
