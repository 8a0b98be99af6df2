//! The two ways in which connection strings are written.

use percent_encoding::percent_decode_str;

use super::Words;

/// The words of `postgresql://user:password@host:port/database?word=value`, or of `word=value word=value`.
///
/// # Errors
/// It is neither, as the end of a sentence.
pub(in super::super) fn words(text: &str) -> Result<Words, String> {
    let text = text.trim();
    let schemes = ["postgresql://", "postgres://"];
    match schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) {
        Some(rest) => of_address(rest),
        None => of_pairs(text),
    }
}

fn of_address(text: &str) -> Result<Words, String> {
    let mut words = Words::new();
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, database) = text.split_once('/').unwrap_or((text, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    for (word, value) in [("user", user), ("password", password), ("dbname", database)] {
        if !value.is_empty() {
            words.insert(word.to_owned(), decoded(value)?);
        }
    }
    let pairs = hosts.split(',').map(host_and_port);
    let (hosts, ports): (Vec<_>, Vec<_>) = pairs.unzip();
    words.insert("host".to_owned(), decoded(&hosts.join(","))?);
    words.insert("port".to_owned(), ports.join(","));
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (word, value) = pair.split_once('=').ok_or("has a word without a value")?;
        let value = value.replace('+', " ");
        add(&mut words, &decoded(word)?, decoded(&value)?)?;
    }
    Ok(words)
}

/// The two parts of `host:port`, in which the port may be missing.
fn host_and_port(text: &str) -> (&str, &str) {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (address, rest.strip_prefix(':').unwrap_or(rest));
    }
    text.split_once(':').unwrap_or((text, ""))
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "has something after % that is no text")?;
    Ok(decoded.into_owned())
}

fn add(words: &mut Words, word: &str, value: String) -> Result<(), String> {
    match words.insert(word.to_owned(), value) {
        // What is given twice could be read as either.
        Some(_) => Err(format!("has {word:.20} twice")),
        None => Ok(()),
    }
}

fn of_pairs(text: &str) -> Result<Words, String> {
    let mut words = Words::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest
            .split_once('=')
            .ok_or("is neither postgresql://… nor word=value word=value")?;
        let (value, after) = value(after.trim_start())?;
        add(&mut words, &word.trim().to_ascii_lowercase(), value)?;
        rest = after.trim_start();
    }
    Ok(words)
}

/// A value, which has single quotes around it if it has spaces, and what follows.
fn value(text: &str) -> Result<(String, &str), String> {
    let quoted = text.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(text).chars();
    let mut value = String::new();
    loop {
        match characters.next() {
            Some('\\') => value.extend(characters.next()),
            Some('\'') if quoted.is_some() => break,
            Some(c) if quoted.is_none() && c.is_whitespace() => break,
            Some(c) => value.push(c),
            None if quoted.is_some() => return Err("has a quote without its end".to_owned()),
            None => break,
        }
    }
    Ok((value, characters.as_str()))
}
