//! Connection strings.

mod read;

use std::collections::BTreeMap;

use super::settings::{Settings, SslMode};
use super::target::Target;

pub(super) use read::words;

/// Words and their values.
pub(super) type Words = BTreeMap<String, String>;

/// Words that name a file of whoever reads them.
const FILES: [&str; 7] = [
    "passfile",
    "service",
    "servicefile",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslrootcert",
];
/// Words about things that are as they are here.
const IGNORED: [&str; 16] = [
    "connect_timeout",
    "default_query_exec_mode",
    "description_cache_capacity",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "pool_health_check_period",
    "pool_max_conn_idle_time",
    "pool_max_conn_lifetime",
    "pool_max_conn_lifetime_jitter",
    "pool_max_conns",
    "pool_min_conns",
    "pool_min_idle_conns",
    "statement_cache_capacity",
    "tcp_user_timeout",
];

/// What the words of a connection string mean.
///
/// # Errors
/// What is wrong with one, as the end of a sentence that has no value.
pub(super) fn settings(mut words: Words) -> Result<Settings, String> {
    if let Some(file) = FILES.iter().find(|file| words.contains_key(**file)) {
        return Err(format!(
            "has {file}, and no file is read; give ca, cert and key instead"
        ));
    }
    if words.contains_key("hostaddr") {
        return Err("has hostaddr; give the address as the host".to_owned());
    }
    for word in IGNORED {
        words.remove(word);
    }
    let mut take = |word: &str| words.remove(word).filter(|value| !value.is_empty());
    let hosts = hosts(
        &take("host").ok_or("names no host")?,
        take("port").as_deref(),
    )?;
    let choice = |word: &str| format!("has a value of {word} that is not one of PostgreSQL's");
    let ssl_mode = take("sslmode").unwrap_or("prefer".to_owned());
    let target = take("target_session_attrs").unwrap_or("any".to_owned());
    let settings = Settings {
        hosts,
        user: take("user").ok_or("names no user")?,
        password: take("password"),
        database: take("dbname").or_else(|| take("database")),
        ssl_mode: SslMode::parse(&ssl_mode).ok_or_else(|| choice("sslmode"))?,
        target: Target::parse(&target).ok_or_else(|| choice("target_session_attrs"))?,
        options: String::new(),
    };
    let mut options = take("options").unwrap_or_default();
    for (name, value) in words {
        option(&mut options, &name, &value)?;
    }
    Ok(Settings {
        options,
        ..settings
    })
}

/// Adds a setting of the session.
fn option(options: &mut String, name: &str, value: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err("has a word that is none of PostgreSQL's".to_owned());
    }
    if !options.is_empty() {
        options.push(' ');
    }
    options.push_str("-c ");
    options.push_str(name);
    options.push('=');
    for c in value.chars() {
        if c.is_whitespace() || c == '\\' {
            options.push('\\');
        }
        options.push(c);
    }
    Ok(())
}

/// Hosts with commas between, and one port for all or one for each.
fn hosts(hosts: &str, ports: Option<&str>) -> Result<Vec<(String, u16)>, String> {
    const USUAL: u16 = 5432;
    let ports: Vec<&str> = ports.map_or_else(Vec::new, |ports| ports.split(',').collect());
    let hosts = hosts.split(',').map(str::trim);
    let with_port = |(index, host): (usize, &str)| {
        if host.is_empty() {
            return Err("has a host without a name".to_owned());
        }
        if host.starts_with(['/', '@']) {
            return Err("names a socket of Unix, which is not read; give a host".to_owned());
        }
        let port = match (ports.get(index), &*ports) {
            (None, [one]) => one,
            (given, _) => given.copied().unwrap_or_default(),
        };
        let port = match port.trim() {
            "" => USUAL,
            port => {
                let port = port.parse().ok().filter(|port| *port > 0);
                port.ok_or("has a port that is not 1 to 65535")?
            }
        };
        Ok((host.to_owned(), port))
    };
    hosts.enumerate().map(with_port).collect()
}

#[cfg(test)]
mod tests;
