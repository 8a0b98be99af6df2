//! The arguments of certificates that are ordered.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::acme::{AcmeOptions, Directory};

/// Certificates from a directory.
#[derive(Clone, Debug, Args)]
pub struct AcmeArguments {
    /// Order certificates for custom domains that --certificates has none for, from a directory of ACME
    /// (RFC 8555): letsencrypt, letsencrypt-staging, or its URL. It asks each host by HTTP on port 80
    /// (http-01), which has to lead to --listen. They are renewed when a third of their time is left
    #[arg(
        id = "acme_directory",
        long = "acme-directory",
        value_name = "URL",
        requires = "acme_dir"
    )]
    pub directory: Option<Directory>,
    /// You agree to the directory's terms of service, which it names in what its URL answers
    #[arg(
        id = "acme_agree_tos",
        long = "acme-agree-tos",
        requires = "acme_directory"
    )]
    pub agree_tos: bool,
    /// An address of mail that the directory may write to about the account
    #[arg(id = "acme_contact", long = "acme-contact", value_name = "MAIL", requires = "acme_directory", value_parser = mail)]
    pub contact: Option<String>,
    /// Where the account's key and the certificates are kept, which only this user can read
    #[arg(
        id = "acme_dir",
        long = "acme-dir",
        value_name = "DIR",
        requires = "acme_directory"
    )]
    pub folder: Option<PathBuf>,
    /// Roots in PEM of the certificate that the directory has to show; those of this machine if absent
    #[arg(
        id = "acme_ca",
        long = "acme-ca",
        value_name = "FILE",
        requires = "acme_directory"
    )]
    pub ca: Option<PathBuf>,
}

impl AcmeArguments {
    /// What they ask for; none without a directory.
    ///
    /// # Errors
    /// The terms of service were not agreed to, or there is no folder.
    pub fn options(&self) -> anyhow::Result<Option<AcmeOptions>> {
        let Some(directory) = &self.directory else {
            return Ok(None);
        };
        anyhow::ensure!(
            self.agree_tos,
            "--acme-directory has terms of service: read them (termsOfService in what {directory} \
             answers), and say with --acme-agree-tos that you agree"
        );
        let folder = self.folder.clone();
        Ok(Some(AcmeOptions {
            directory: directory.clone(),
            contact: self.contact.clone(),
            folder: folder.context("--acme-directory: give a folder with --acme-dir")?,
            ca: self.ca.clone(),
        }))
    }
}

fn mail(text: &str) -> Result<String, String> {
    let parts = text.split_once('@');
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !",?&%".contains(c);
    match parts {
        Some((user, host))
            if !user.is_empty() && host.contains('.') && text.chars().all(is_plain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("give one address of mail, such as admin@example.com".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Given {
        #[command(flatten)]
        acme: AcmeArguments,
    }

    #[test]
    fn what_is_missing_is_said() {
        let directory = "--acme-directory=letsencrypt-staging";
        for (arguments, expected) in [
            (&[][..], Ok(false)),
            (
                &[directory, "--acme-dir=/a", "--acme-agree-tos"][..],
                Ok(true),
            ),
            (&[directory, "--acme-dir=/a"], Err("--acme-agree-tos")),
            (&[directory, "--acme-agree-tos"], Err("--acme-dir")),
            (&["--acme-dir=/a"], Err("--acme-directory")),
            (
                &[directory, "--acme-dir=/a", "--acme-contact=a.example"],
                Err("admin@example.com"),
            ),
        ] {
            let arguments = std::iter::once(&"ebbtide").chain(arguments);
            let options = match Given::try_parse_from(arguments) {
                Ok(given) => given.acme.options().map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match (options, expected) {
                (Ok(options), Ok(given)) => assert_eq!(options.is_some(), given),
                (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
                (options, expected) => panic!("{options:?} {expected:?}"),
            }
        }
    }
}
