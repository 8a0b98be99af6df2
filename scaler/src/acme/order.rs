//! One order: proving that a host leads here, and getting its certificate.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use ebbtide_ingress::Challenges;
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    Problem, RetryPolicy,
};
use tokio::time::timeout;

use super::kept::Issued;

/// Time for an order, from its beginning to the certificate.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The kinds of problems that come of how a host leads here.
const OF_THE_WAY_HERE: [&str; 5] = [
    "connection",
    "unauthorized",
    "dns",
    "incorrectResponse",
    "tls",
];

/// Has a certificate issued for `host`. Its key is made here, and leaves this process for the folder alone.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) async fn certificate(
    account: &Account,
    host: &str,
    challenges: &Arc<Challenges>,
) -> anyhow::Result<Issued> {
    let ordered = timeout(TIMEOUT, fulfil(account, host, challenges)).await;
    ordered.unwrap_or_else(|_| {
        let minutes = TIMEOUT.as_secs() / 60;
        Err(anyhow!("it was not issued within {minutes} minutes"))
    })
}

async fn fulfil(
    account: &Account,
    host: &str,
    challenges: &Arc<Challenges>,
) -> anyhow::Result<Issued> {
    let retries = RetryPolicy::new().timeout(TIMEOUT);
    let identifiers = [Identifier::Dns(host.to_owned())];
    let order = account.new_order(&NewOrder::new(&identifiers)).await;
    let mut order = order.map_err(|error| explained(error, host))?;
    let proofs = prove(&mut order, challenges).await?;
    let status = order.poll_ready(&retries).await;
    let status = status.map_err(|error| explained(error, host))?;
    if status != OrderStatus::Ready {
        return Err(match why_not(&mut order).await? {
            Some(problem) => explained(Error::Api(problem), host),
            None => anyhow!("the order is {status:?}, and the directory does not say why"),
        });
    }
    drop(proofs);
    let key = order.finalize().await;
    let key = key.map_err(|error| explained(error, host))?;
    let chain = order.poll_certificate(&retries).await;
    let chain = chain.map_err(|error| explained(error, host))?;
    Ok(Issued { chain, key })
}

/// Has the directory look for proofs, which are given until what is returned is dropped.
async fn prove(
    order: &mut Order,
    challenges: &Arc<Challenges>,
) -> anyhow::Result<Vec<ebbtide_ingress::Challenge>> {
    let mut proofs = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => bail!("the directory has an authorization that is {other:?}"),
        }
        let mut challenge = authorization
            .challenge(ChallengeType::Http01)
            .ok_or_else(|| anyhow!("the directory has no challenge of the kind http-01"))?;
        let proof = challenge.key_authorization();
        proofs.push(challenges.answer(&challenge.token, proof.as_str()));
        challenge.set_ready().await?;
    }
    Ok(proofs)
}

/// What the directory has found wrong.
async fn why_not(order: &mut Order) -> anyhow::Result<Option<Problem>> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        let mut problems = state.challenges.iter().filter_map(|one| one.error.as_ref());
        if let Some(problem) = problems.next() {
            return Ok(Some(problem.clone()));
        }
    }
    Ok(None)
}

/// An error with what to do, where that is known.
fn explained(error: Error, host: &str) -> anyhow::Error {
    let Error::Api(problem) = &error else {
        return error.into();
    };
    let kind = problem.r#type.as_deref().unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or_default();
    if OF_THE_WAY_HERE.contains(&kind) {
        return anyhow!(
            "{problem}; {host} has to be in the public DNS, and port 80 of it has to lead to --listen \
             of this ebbtide"
        );
    }
    if kind == "accountDoesNotExist" {
        return anyhow!(
            "{problem}; remove account.json below --acme-dir to have another account made"
        );
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_directory_from_asking_here_is_said_with_what_to_do() {
        for (kind, expected) in [("unauthorized", true), ("rateLimited", false)] {
            let problem = Problem {
                r#type: Some(format!("urn:ietf:params:acme:error:{kind}")),
                detail: Some("no".to_owned()),
                status: None,
                subproblems: Vec::new(),
            };
            let said = explained(Error::Api(problem), "www.example.com").to_string();
            assert!(said.contains("no (urn:"), "{said}");
            assert_eq!(said.contains("port 80"), expected, "{said}");
        }
    }
}
