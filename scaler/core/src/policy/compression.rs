//! How answers are compressed for clients that take it.

/// `ebbtide.compression`: the codings of answers, the ones that are wanted most first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression(Vec<Coding>);

/// A way to compress, as HTTP has it (`Content-Encoding`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Coding {
    const ALL: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// Its name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl Compression {
    /// Reads a list as in `br, gzip`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut codings = Vec::new();
        for word in text.split(',').map(str::trim) {
            let mut all = Coding::ALL.into_iter();
            let coding = all.find(|coding| coding.name().eq_ignore_ascii_case(word));
            let wanted = "write those that are wanted of gzip, br and zstd, as in br, gzip";
            let coding = coding.ok_or_else(|| format!("`{word}` is no coding; {wanted}"))?;
            if codings.contains(&coding) {
                return Err(format!("`{word}` is given twice"));
            }
            codings.push(coding);
        }
        Ok(Self(codings))
    }

    /// The codings, the ones that are wanted most first.
    pub fn codings(&self) -> &[Coding] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_in_the_order_that_they_are_wanted_in() {
        let codings = |text| Compression::parse(text).map(|list| list.codings().to_vec());
        assert_eq!(
            codings("zstd, BR,gzip"),
            Ok(vec![Coding::Zstd, Coding::Brotli, Coding::Gzip])
        );
        for (text, expected) in [
            ("", "`` is no coding"),
            ("deflate", "`deflate` is no coding; write those"),
            ("gzip,", "`` is no coding"),
            ("gzip, gzip", "`gzip` is given twice"),
        ] {
            let error = codings(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
