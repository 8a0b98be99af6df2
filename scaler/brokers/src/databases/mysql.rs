//! MySQL and MariaDB: connection strings, and sessions.

mod connection_string;
mod explain;
mod name;
mod session;
mod settings;

pub use session::Session;
pub use settings::Settings;

pub use explain::explain;
pub use name::{LONGEST_NAME, quoted};
pub use settings::Tls;
