//! The marker by which this instance's processes are known.

use std::fs::File;
use std::io::{self, Read as _};

/// The environment variable that every child gets and its children inherit.
pub(crate) const VARIABLE: &str = "EBBTIDE_INSTANCE";

/// Draws the random identifier of an instance: 32 hexadecimal digits.
pub(crate) fn draw() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
