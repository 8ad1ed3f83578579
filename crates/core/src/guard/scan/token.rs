//! Secrets that are known by their build: web tokens, private keys, users and passwords in URLs.

use super::ahead::{Ahead, Look};

/// How far the end of a user's name and password is looked for.
const USER_INFO: usize = 256;
/// How long the header of a token may be.
const HEADER: usize = 512;
/// The longest mark of a private key: `-----BEGIN ENCRYPTED PRIVATE KEY-----` and the like.
const PEM_LABEL: usize = 40;

/// The JSON Web Token (RFC 7519) that begins here, as far as its claims begin: `eyJ` is `{"`.
pub(super) fn jwt(ahead: Ahead<'_>) -> Look {
    if !ahead.is(0, |byte| byte == b'e')? || ahead.run(0, 3, |byte| b"eyJ".contains(&byte))? < 3 {
        return Ok(None);
    }
    if ahead.part(0, 3) != b"eyJ" {
        return Ok(None);
    }
    let header = ahead.run(0, HEADER, in_base64url)?;
    if header < 12 || ahead.at(header)? != Some(b'.') {
        return Ok(None);
    }
    let claims = ahead.run(header + 1, 10, in_base64url)?;
    // An encrypted token has a key where a signed one has claims.
    Ok((claims == 10).then_some(header + 1 + claims))
}

const fn in_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// `-----BEGIN … PRIVATE KEY-----` (RFC 7468) here; public keys and certificates are no secret.
pub(super) fn private_key(ahead: Ahead<'_>) -> Look {
    const BEGIN: &[u8] = b"-----BEGIN ";
    if !ahead.is(0, |byte| byte == b'-')? || !ahead.starts(0, BEGIN)? {
        return Ok(None);
    }
    let in_label = |byte: u8| byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit();
    let length = ahead.run(BEGIN.len(), PEM_LABEL, in_label)?;
    let label = ahead.part(BEGIN.len(), BEGIN.len() + length);
    let private = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    let end = BEGIN.len() + length;
    Ok((private && ahead.starts(end, b"-----")?).then_some(end + 5))
}

/// `user:password` before the `@` of a URL whose scheme has just passed.
pub(super) fn credentials(ahead: Ahead<'_>) -> Look {
    let length = ahead.run(0, USER_INFO, |byte| !ends_authority(byte))?;
    let Some(at) = ahead.part(0, length).iter().rposition(|byte| *byte == b'@') else {
        return Ok(None);
    };
    let written = ahead.part(0, at);
    let mut parts = written.splitn(2, |byte| *byte == b':');
    let (user, password) = (parts.next().unwrap_or_default(), parts.next());
    let password = password.filter(|password| !password.is_empty());
    // A token alone is a user's name that no user has: `https://x-token-1a2b3c4d5e6f7a8b@host`.
    let token = user.len() >= 20 && user.iter().any(u8::is_ascii_digit);
    let blank = password.is_some_and(is_blank);
    Ok((at > 0 && !blank && (password.is_some() || token)).then_some(at))
}

/// Whether a password stands for one in instructions: `<password>`, `$PASSWORD`, `***`.
fn is_blank(password: &[u8]) -> bool {
    let first = password.first().copied().unwrap_or_default();
    matches!(first, b'$' | b'{' | b'[' | b'%') && !password.iter().any(u8::is_ascii_digit)
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.'))
}

const fn ends_authority(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\')
}
