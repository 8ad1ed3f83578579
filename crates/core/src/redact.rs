//! Hides what looks like a secret in text that we pass on, such as a provider's error message.
//!
//! One pass over the words of the text, each looked at a fixed number of times: the work grows with
//! the length alone, whatever the text. A word is hidden when it
//! - begins, at its start or inside, like a key of a known issuer (`sk-…`, `AIza…`, `eyJ…`);
//! - follows `Bearer`, `Basic`, or a name such as `api_key=` or `"password": `;
//! - is long and reads like random letters and digits.
//!
//! What identifies the issuer stays: `sk-***`. Ids of providers that look random (`req_011CSHo…`) are
//! hidden too: a wrong guess costs a debugging hint, the other one a key. Words that are neither
//! known, labelled nor random, such as a passphrase, are not found: where the secret itself is at
//! hand, use [`mask_known`].

mod shapes;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

/// What stands for something hidden.
const MASK: &str = "***";

/// `text` with everything that looks like a secret replaced by `***`; the text itself if nothing does.
///
/// ```
/// use tollhouse_core::redact::mask;
///
/// let message = "Incorrect API key provided: sk-proj-Ab3dEf6hIj9kLm2n. Find yours in the console.";
/// assert_eq!(mask(message), "Incorrect API key provided: sk-***. Find yours in the console.");
/// ```
pub fn mask(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for secret in secrets {
        masked.push_str(text.get(copied..secret.start).unwrap_or_default());
        masked.push_str(MASK);
        copied = secret.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

/// [`mask`], with these very secrets hidden first, wherever they stand. Those shorter than 4 bytes are
/// passed over, as they would hide half of the text.
pub fn mask_known<'a>(text: &'a str, secrets: &[&str]) -> Cow<'a, str> {
    let held = |secret: &&&str| secret.len() >= 4 && text.contains(**secret);
    let mut found: Vec<&str> = secrets.iter().filter(held).copied().collect();
    if found.is_empty() {
        return mask(text);
    }
    // The longest first, since one secret may begin like another.
    found.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let hidden = found.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
    Cow::Owned(mask(&hidden).into_owned())
}

/// Where the secrets stand, in order and apart.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before = "";
    let mut end = 0;
    for word in shapes::words(text) {
        let gap = text.get(end..word.start).unwrap_or_default();
        let content = text.get(word.clone()).unwrap_or_default();
        let hidden_to = found.last().map_or(0, |secret| secret.end);
        if word.start >= hidden_to {
            if gap.ends_with(':')
                && let Some(user_info) =
                    shapes::user_info(text.get(word.start..).unwrap_or_default())
            {
                found.push(word.start + user_info.start..word.start + user_info.end);
            } else if shapes::is_announced(before, gap, content) {
                found.push(word.clone());
            } else {
                let inside = shapes::inside(content);
                found.extend(
                    inside.into_iter().map(|part| word.start + part.start..word.start + part.end),
                );
            }
        }
        (before, end) = (content, word.end);
    }
    found
}
