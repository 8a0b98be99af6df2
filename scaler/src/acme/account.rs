//! The account with a directory.

use anyhow::{Context, anyhow};
use instant_acme::{Account, AccountCredentials, NewAccount};

use super::client::DirectoryClient;
use super::directory::Directory;
use super::kept::Kept;

/// The account that is kept; makes one, with the terms of service agreed to, if there is none.
///
/// # Errors
/// What the directory has against it, or that it cannot be kept.
pub(super) async fn open(
    kept: &Kept,
    client: &DirectoryClient,
    directory: &Directory,
    contact: Option<&str>,
) -> anyhow::Result<Account> {
    let builder = Account::builder_with_http(Box::new(client.clone()));
    if let Some(content) = kept.account()? {
        // What is wrong with it is not shown: it is a secret.
        let credentials: Option<AccountCredentials> = serde_json::from_slice(&content).ok();
        let path = kept.account_path();
        let credentials = credentials.ok_or_else(|| {
            anyhow!(
                "{} is no account; remove it to have another one made",
                path.display()
            )
        })?;
        return Ok(builder.from_credentials(credentials).await?);
    }
    let contact = contact.map(|mail| format!("mailto:{mail}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let made = builder.create(&new, directory.url().to_owned(), None).await;
    let (account, credentials) = made.context("no account can be made")?;
    kept.set_account(&serde_json::to_vec(&credentials)?)?;
    tracing::info!("an account with {directory} was made");
    Ok(account)
}
