//! Names of tables and columns.

/// The longest name that the server takes, in characters.
pub const LONGEST_NAME: usize = 64;

/// A name in SQL, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_anything() {
        assert_eq!(quoted("my `jobs`; --"), "`my ``jobs``; --`");
    }
}
