//! The data plane: takes requests in the clear and by TLS, finds the app and the revision each is meant for,
//! holds it while there is no replica, forwards it to the least busy one, and counts.
//!
//! An [`Ingress`] is a number of workers, each a thread with a runtime, a listener
//! (`SO_REUSEPORT`), upstream connections and a shard of the counters of its own. All they share is
//! the published [`RoutingTable`] and, per replica, one word with the requests in flight.
//!
//! Life of a request: accept, sniff the protocol (by TLS the client
//! names it), route (host, or path and headers, to app), choose the revision (label
//! or weight), admit (a replica that takes it, else the waiting room), forward, count, answer.

mod access_log;
mod admission;
mod affinity;
mod body;
mod challenges;
mod connection;
mod headers;
mod ingress;
mod limits;
mod line;
mod listener;
mod meter;
mod options;
mod ports;
mod proxy_protocol;
mod publish;
mod records;
mod replica;
mod request;
mod scheme;
mod share;
mod spans;
mod split;
mod stream;
mod table;
mod tls;
mod trace;
mod tunnel;
mod upgrade;
mod upstream;
mod worker;

pub use access_log::{AccessLog, AccessRecord, AccessRecords};
pub use affinity::{AFFINITY_KEY_BYTES, AffinityKey};
pub use challenges::{Challenge, Challenges};
pub use ingress::{Ingress, LimitMeter};
pub use limits::gate::LimitReading;
pub use limits::listeners::ListenerReading;
pub use limits::{BODY_PROGRESS, Limits};
pub use meter::{MeterReading, RevisionMeter};
pub use options::{IngressOptions, StartError, WaitingRoom};
pub use publish::Publisher;
pub use records::{RecordReading, Records};
pub use replica::{Replica, UpstreamProtocol};
pub use share::Share;
pub use spans::{SpanOrigin, SpanRecord, Spans};
pub use split::Split;
pub use table::{AppPort, AppRoute, Backend, BackendState, HttpRoutes, RoutingTable};
pub use tls::{Certificates, HostCertificates, Issuer, TlsOptions};
pub use trace::{SpanId, TraceId};
