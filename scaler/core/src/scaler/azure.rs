//! Keys that scalers of Azure's services share.

use super::{Key, Kind, Presence, Role};

/// The clouds that Azure has, and `Private` for one of somebody's own.
pub(super) const CLOUDS: Kind = Kind::Choice(&[
    "AzurePublicCloud",
    "AzureUSGovernmentCloud",
    "AzureChinaCloud",
    "AzureGermanCloud",
    "Private",
]);

/// The root of a server that is not Azure's own.
pub(super) const CA: Key = Key {
    name: "ca",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "Ebbtide's own: a certificate that the server's may be signed by, beside those of the \
              system; for emulators and private endpoints",
};
