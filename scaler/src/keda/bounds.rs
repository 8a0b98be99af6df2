//! What the authors of ScaledObjects may have Ebbtide connect to.

use ebbtide_core::trigger::OwnRules;
use ebbtide_core::trigger::reach::{Reach, addresses};

use super::answer::Unanswered;

/// Bounds of what rules of a trigger's own may lead to: who may write a ScaledObject is not one who
/// may reach whatever Ebbtide reaches.
#[derive(Clone, Debug)]
pub struct SourceBounds {
    /// The hosts and networks that rules may name.
    pub reach: Reach,
    /// How many distinct sources (queues and the like) the ScaledObjects of one namespace may name.
    pub per_namespace: usize,
}

impl SourceBounds {
    /// How many sources a namespace may have if nothing else is said.
    pub const PER_NAMESPACE: usize = 100;

    /// Checks the addresses that rules name. What a name resolves to is for whoever connects.
    ///
    /// # Errors
    /// The addresses that are not allowed, and what would allow them.
    pub(super) fn check(&self, own: &OwnRules) -> Result<(), Unanswered> {
        let named = own.rules.iter().flat_map(addresses);
        let refused = named.filter_map(|address| {
            let refused = address.check(&self.reach).err()?;
            Some(format!("{}: {refused}", address.key))
        });
        let refused: Vec<String> = refused.collect();
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Unanswered::Forbidden(refused.join("; ")))
        }
    }
}

impl Default for SourceBounds {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            per_namespace: Self::PER_NAMESPACE,
        }
    }
}
