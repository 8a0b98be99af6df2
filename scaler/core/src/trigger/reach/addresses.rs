//! What a rule's metadata says is to be connected to.

use super::connection::{self, HostPort};
use super::{Reach, Refused, strings};
use crate::document::ScaleRule;
use crate::scaler::without_from_env;

/// A host that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The key of the rule's metadata.
    pub key: String,
    /// The host as it is written, without user and password; empty if the value cannot be read, so
    /// that it is refused.
    pub host: String,
    /// The port, if it is known.
    pub port: Option<u16>,
}

impl Address {
    /// Whether it may be connected to; a name may resolve to what may not.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(&self, reach: &Reach) -> Result<(), Refused> {
        reach.check_host(&self.host, self.port)
    }
}

/// Scalers that connect to nothing that their metadata names.
const WITHOUT: [&str; 6] = [
    "http",
    "tcp",
    "cpu",
    "memory",
    "cron",
    "kubernetes-workload",
];

/// Keys whose value is a URL, a host, or a host and a port.
const ENDPOINTS: &[&str] = &[
    "activeDirectoryEndpoint",
    "address",
    "adminURL",
    "appInsightsResourceURL",
    "authURL",
    "awsEndpoint",
    "azureResourceManagerEndpoint",
    "clusterIPAddress",
    "connection",
    "connectionString",
    "endpoint",
    "githubApiURL",
    "host",
    "logAnalyticsResourceURL",
    "managementEndpoint",
    "natsServerMonitoringEndpoint",
    "organizationURL",
    "restApiTemplate",
    "scalerAddress",
    "server",
    "serverAddress",
    "serverURL",
    "solaceSempBaseURL",
    "url",
];

/// Keys whose value is a list of such.
const LISTS: &[&str] = &[
    "addresses",
    "bootstrapServers",
    "endpoints",
    "hosts",
    "nsqLookupdHTTPAddresses",
];

/// The hosts that a rule's metadata names, by the scaler's type. A value of any key that begins as
/// a URL does is one too.
///
/// What a server refers to further (by a redirect, as a broker or as a node of its cluster) is not
/// among them: ask [`Reach::check_host`] and [`Reach::check_address`] again before connecting.
pub fn addresses(rule: &ScaleRule) -> Vec<Address> {
    if WITHOUT.contains(&rule.scaler.as_str()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (key, value) in &rule.metadata {
        let name = without_from_env(key);
        let hosts = read(&rule.scaler, name, value.trim());
        let hosts = hosts.map(|hosts| with_ports(rule, name, hosts));
        let unread = || vec![(String::new(), None)];
        let address = |(host, port)| Address {
            key: key.clone(),
            host,
            port,
        };
        found.extend(hosts.unwrap_or_else(unread).into_iter().map(address));
    }
    found.extend(azure_account(rule));
    found
}

/// The hosts in a value, of which most have none; none if it cannot be read.
fn read(scaler: &str, key: &str, value: &str) -> Option<Vec<HostPort>> {
    if value.is_empty() {
        return Some(Vec::new());
    }
    let is_connection = key.to_ascii_lowercase().contains("connection");
    match (scaler, key) {
        ("postgresql", "connection") => strings::postgresql(value),
        ("mysql", "connectionString") => strings::mysql(value),
        ("mssql", "connectionString") => strings::mssql(value),
        _ if scaler.starts_with("azure-") && is_connection => {
            let hosts = strings::azure(value, azure_service(scaler))?;
            let default = namespace_port(scaler).filter(|_| key == "connection");
            let with_default = |(host, port): HostPort| (host, port.or(default));
            Some(hosts.into_iter().map(with_default).collect())
        }
        _ if LISTS.contains(&key) => connection::endpoints(value),
        _ if ENDPOINTS.contains(&key) || connection::has_scheme(value) => {
            connection::endpoint(value)
        }
        _ => Some(Vec::new()),
    }
}

/// Hosts with the ports that `port` and `ports` have for those that say none.
fn with_ports(rule: &ScaleRule, key: &str, hosts: Vec<HostPort>) -> Vec<HostPort> {
    let ports = match key {
        "host" | "clusterIPAddress" => value(rule, "port"),
        "hosts" => value(rule, "ports"),
        _ => None,
    };
    let mut ports = ports.unwrap_or_default().split(',');
    let with_port = |(host, port): HostPort| {
        let given = ports.next().and_then(|text| connection::port(text.trim()));
        (host, port.or(given))
    };
    hosts.into_iter().map(with_port).collect()
}

/// The host that an account or a namespace of Azure's makes with the name of its service.
fn azure_account(rule: &ScaleRule) -> Option<Address> {
    let (key, service) = match rule.scaler.as_str() {
        "azure-servicebus" => ("namespace", "servicebus"),
        "azure-eventhub" => ("eventHubNamespace", "servicebus"),
        "azure-queue" | "azure-blob" => ("accountName", azure_service(&rule.scaler)),
        _ => return None,
    };
    let (name, cloud) = (value(rule, key)?, value(rule, "cloud").unwrap_or_default());
    let suffix = match cloud.to_ascii_lowercase().as_str() {
        "azureusgovernmentcloud" => "usgovcloudapi.net",
        "azurechinacloud" => "chinacloudapi.cn",
        "azuregermancloud" => "cloudapi.de",
        _ => "windows.net",
    };
    let core = if service == "servicebus" { "" } else { "core." };
    let known = format!("{service}.{core}{suffix}");
    let suffix = value(rule, "endpointSuffix").unwrap_or(&known);
    Some(Address {
        key: key.to_owned(),
        host: format!("{name}.{suffix}"),
        port: namespace_port(&rule.scaler).or(Some(443)),
    })
}

/// The port of a namespace that says none; a connection string of storage has the scheme of its own.
fn namespace_port(scaler: &str) -> Option<u16> {
    match scaler {
        "azure-servicebus" => Some(443),
        "azure-eventhub" => Some(5671),
        _ => None,
    }
}

fn azure_service(scaler: &str) -> &'static str {
    match scaler {
        "azure-queue" => "queue",
        _ => "blob",
    }
}

/// A value of the metadata, from a variable or not.
fn value<'r>(rule: &'r ScaleRule, key: &str) -> Option<&'r str> {
    let mut pairs = rule.metadata.iter();
    let (_, value) = pairs.find(|(name, _)| without_from_env(name) == key)?;
    Some(value.trim()).filter(|value| !value.is_empty())
}
