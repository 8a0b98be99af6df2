//! `ebbtide up`.

use super::arguments::UpArguments;

/// Placeholder until the control loop is there.
pub(super) fn run(_: UpArguments) -> anyhow::Result<()> {
    anyhow::bail!("the control loop is not there yet")
}
