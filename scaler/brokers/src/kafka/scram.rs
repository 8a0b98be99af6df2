//! Logging in by a password that is not sent: SCRAM, RFC 5802, without channel binding.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// The most rounds that a server may ask for, so that it cannot keep this machine busy.
const MOST_ROUNDS: u32 = 200_000;

/// The hash of a mechanism.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// What is said first; the server's answer to it is given to [`proof`](Self::proof).
pub(super) struct First {
    hash: Hash,
    bare: String,
    nonce: String,
}

/// What is said last, and what the server has to say to that, so that it knows the password too.
pub(super) struct Last {
    pub(super) message: String,
    pub(super) expected: String,
}

impl First {
    /// Begins. The nonce is random, of printable characters without a comma.
    pub(super) fn new(hash: Hash, user: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        Self { hash, bare, nonce }
    }

    pub(super) fn message(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The answer to what the server says, or none if that is nonsense.
    pub(super) fn proof(&self, server: &str, password: &str) -> Option<Last> {
        let part = |name: &str| {
            let mut parts = server.split(',');
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let nonce = part("r").filter(|nonce| nonce.starts_with(&self.nonce))?;
        let salt = STANDARD.decode(part("s")?).ok()?;
        let rounds = part("i")?.parse().ok()?;
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS)?;
        let salted = self.salted(rounds, &salt, password);
        let end = format!("c=biws,r={nonce}");
        let all = format!("{},{server},{end}", self.bare);
        let client = self.sign(&salted, b"Client Key");
        let stored = digest::digest(self.digest(), &client);
        let signature = self.sign(stored.as_ref(), all.as_bytes());
        let proof: Vec<u8> = client.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server_key = self.sign(&salted, b"Server Key");
        let expected = self.sign(&server_key, all.as_bytes());
        Some(Last {
            message: format!("{end},p={}", STANDARD.encode(proof)),
            expected: format!("v={}", STANDARD.encode(expected)),
        })
    }

    fn salted(&self, rounds: NonZeroU32, salt: &[u8], password: &str) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        let mut salted = vec![0; self.digest().output_len()];
        pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut salted);
        salted
    }

    fn sign(&self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, key);
        hmac::sign(&key, text).as_ref().to_vec()
    }

    fn digest(&self) -> &'static digest::Algorithm {
        match self.hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                          s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn first() -> First {
        First::new(Hash::Sha256, "user", NONCE.to_owned())
    }

    #[test]
    fn the_example_of_the_standard_is_answered_as_it_says() {
        assert_eq!(first().message(), format!("n,,n=user,r={NONCE}"));
        let last = first().proof(SERVER, "pencil").unwrap();
        assert_eq!(
            last.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(
            last.expected,
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn a_name_cannot_end_its_part() {
        let first = First::new(Hash::Sha512, "a=b,c", "n".to_owned());
        assert_eq!(first.message(), "n,,n=a=3Db=2Cc,r=n");
    }

    #[test]
    fn a_server_that_makes_no_sense_gets_no_proof() {
        for server in [
            "",
            "r=other,s=W22Z,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO1,s=!,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=0",
            "r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=99999999",
            "r=rOprNGfwEbeRWgbNEkqO1,i=4096",
        ] {
            assert!(first().proof(server, "pencil").is_none(), "{server}");
        }
    }
}
