//! A certificate authority of this user's own, for HTTPS on one machine: its root is made once and
//! kept, and certificates for hosts are made when they are asked for.

mod kept;
mod leaf;
mod state;

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;

use kept::Kept;
pub use leaf::Leaves;
pub use state::folder;

/// The authority, with its root in a file that clients can be told of.
pub struct LocalAuthority {
    root: PathBuf,
    kept: Kept,
}

impl LocalAuthority {
    /// The authority that is kept in `folder`; makes it the first time.
    ///
    /// # Errors
    /// What is wrong with the folder or with what is in it, and what to do.
    pub fn open(folder: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let at = || {
            format!(
                "the certificate authority of this user, in {}",
                folder.display()
            )
        };
        let kept = Kept::read_or_make(folder, now).with_context(at)?;
        Ok(Self {
            root: folder.join(kept::ROOT),
            kept,
        })
    }

    /// The file with the root, in PEM.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What makes certificates by it.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn leaves(self) -> anyhow::Result<Leaves> {
        Leaves::by(self.kept)
    }
}
