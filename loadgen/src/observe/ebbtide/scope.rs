//! Which apps are followed: those that the load goes to.

use std::collections::BTreeSet;

use http::Uri;

use super::api::App;

/// The apps that hosts lead to; all apps, if none do.
#[derive(Debug)]
pub(super) struct Scope {
    hosts: Vec<String>,
    /// The names of the apps; none before the first list, or if it is all of them.
    apps: Option<BTreeSet<String>>,
}

impl Scope {
    /// Of the hosts of the run's targets, as in `Host`, or names of apps.
    pub(super) fn new(hosts: &[String]) -> Self {
        Self {
            hosts: hosts.iter().map(|host| without_port(host)).collect(),
            apps: None,
        }
    }

    /// Looks which of these apps are meant. Apps that come later may be among them.
    pub(super) fn learn(&mut self, apps: &[App]) {
        let meant = apps.iter().filter(|app| {
            let mut hosts = self.hosts.iter();
            hosts.any(|host| *host == app.name || leads_to(host, app))
        });
        let meant: Vec<_> = meant.map(|app| app.name.clone()).collect();
        if !meant.is_empty() {
            self.apps.get_or_insert_default().extend(meant);
        }
    }

    pub(super) fn has(&self, app: &str) -> bool {
        self.apps.as_ref().is_none_or(|apps| apps.contains(app))
    }
}

/// Whether a host is that of an app, or of a label or revision of it: `hello---green.localhost`.
fn leads_to(host: &str, app: &App) -> bool {
    let url = app.url.as_ref().and_then(|url| url.parse::<Uri>().ok());
    let Some(own) = url.as_ref().and_then(Uri::host) else {
        return false;
    };
    let own = own.to_ascii_lowercase();
    let of_part = || {
        let (first, domain) = host.split_once('.')?;
        let (name, _) = first.split_once("--")?;
        Some(own == format!("{name}.{domain}"))
    };
    own == host || of_part().unwrap_or(false)
}

/// A host as apps have it, without a port.
fn without_port(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> App {
        App {
            name: name.to_owned(),
            url: (name != "worker").then(|| format!("http://{name}.localhost:8080/")),
            revisions: Vec::new(),
        }
    }

    #[test]
    fn the_apps_that_the_load_goes_to_are_followed_or_all() {
        let apps = [app("hello"), app("other"), app("worker")];
        let cases: [(&[&str], &[&str]); 8] = [
            (&["hello.localhost:8080"], &["hello"]),
            (&["HELLO.localhost"], &["hello"]),
            (&["hello---green.localhost:8080"], &["hello"]),
            (
                &["hello--v2.localhost", "other.localhost"],
                &["hello", "other"],
            ),
            (&["worker"], &["worker"]),
            (&["127.0.0.1:8080"], &["hello", "other", "worker"]),
            (&["hello.elsewhere"], &["hello", "other", "worker"]),
            (&[], &["hello", "other", "worker"]),
        ];
        for (hosts, expected) in cases {
            let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
            let mut scope = Scope::new(&hosts);
            scope.learn(&apps);
            let followed = apps.iter().map(|app| app.name.as_str());
            let followed: Vec<_> = followed.filter(|app| scope.has(app)).collect();
            assert_eq!(followed, expected, "{hosts:?}");
        }
    }

    #[test]
    fn an_app_that_comes_later_is_followed_too() {
        let mut scope = Scope::new(&["a.localhost".to_owned(), "b.localhost".to_owned()]);
        scope.learn(&[app("a"), app("c")]);
        scope.learn(&[app("b"), app("c")]);
        let followed = ["a", "b", "c"].map(|name| scope.has(name));
        assert_eq!(followed, [true, true, false]);
    }
}
