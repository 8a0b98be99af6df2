//! PostgreSQL: connection strings, and sessions.

mod connection_string;
mod explain;
mod name;
mod session;
mod settings;
mod target;

pub use session::Session;
pub use settings::Settings;

pub use explain::explain;
pub use name::{LONGEST_NAME, quoted};
pub use settings::SslMode;
