//! Proofs that a host leads here, for whoever issues a certificate for it (RFC 8555, section 8.3).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Where they are asked for.
const PATH: &str = "/.well-known/acme-challenge/";

/// The answers to challenges of the kind `http-01` that are expected now.
#[derive(Default)]
pub struct Challenges {
    /// Proofs by token.
    expected: ArcSwap<Proofs>,
}

type Proofs = HashMap<Box<str>, Arc<str>>;

/// A proof that is given until this is dropped.
#[must_use]
pub struct Challenge {
    token: Box<str>,
    of: Arc<Challenges>,
}

impl Challenges {
    /// None yet: all paths are the apps'.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Has requests with `token` answered with `proof`, on every host, before anything else becomes of
    /// them, until what is returned is dropped.
    pub fn answer(self: &Arc<Self>, token: &str, proof: &str) -> Challenge {
        let proof: Arc<str> = proof.into();
        self.change(|expected| {
            expected.insert(token.into(), Arc::clone(&proof));
        });
        Challenge {
            token: token.into(),
            of: Arc::clone(self),
        }
    }

    /// The proof that a request for `path` asks for; none if it is an app's own.
    pub(crate) fn proof(&self, path: &str) -> Option<Arc<str>> {
        let token = path.strip_prefix(PATH)?;
        self.expected.load().get(token).cloned()
    }

    fn change(&self, change: impl Fn(&mut Proofs)) {
        self.expected.rcu(|expected| {
            let mut expected = Proofs::clone(expected);
            change(&mut expected);
            expected
        });
    }
}

impl Drop for Challenge {
    fn drop(&mut self) {
        self.of.change(|expected| {
            expected.remove(&self.token);
        });
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_that_are_expected_are_answered() {
        let challenges = Challenges::new();
        let path = "/.well-known/acme-challenge/abc";
        assert_eq!(challenges.proof(path), None);
        let challenge = challenges.answer("abc", "abc.proof");
        assert_eq!(challenges.proof(path).as_deref(), Some("abc.proof"));
        for other in [
            "/.well-known/acme-challenge/",
            "/.well-known/acme-challenge/abcd",
            "/.well-known/acme-challenge/abc/",
            "/a/.well-known/acme-challenge/abc",
            "abc",
        ] {
            assert_eq!(challenges.proof(other), None, "{other}");
        }
        drop(challenge);
        assert_eq!(challenges.proof(path), None);
    }
}
