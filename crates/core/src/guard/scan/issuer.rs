//! Keys of known issuers: how they begin, how long they are, what they are written in.

use super::{
    ahead::{Ahead, Look, More},
    tail::Tail,
};

/// How keys of one kind are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Issue {
    /// How they begin.
    pub(crate) mark: &'static str,
    /// How many bytes follow at least.
    least: Least,
    /// What those are.
    body: Body,
    /// How many bytes after the mark make it suspicious in a provider's message, where a wrong guess
    /// costs nothing but a hint; `None` where the mark is part of common words.
    pub(crate) loose: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Least {
    /// This many, letters and digits among them.
    Mixed(usize),
    /// This many, of any kind.
    Any(usize),
    /// Exactly this many.
    Exactly(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Letters and digits.
    Plain,
    /// Capitals and digits.
    Capitals,
    /// Hexadecimal digits.
    Hex,
    /// Letters, digits, `-` and `_`.
    Joined,
    /// Letters, digits, `-`, `_`, `.` and `=`.
    Dotted,
}

/// How much of a key is looked at before it must have shown a letter and a digit. Of random letters
/// and digits, one in 6 000 shows no digit in 48.
const LOOKED_AT: usize = 48;

const fn mixed(mark: &'static str, least: usize, body: Body, loose: usize) -> Issue {
    Issue { mark, least: Least::Mixed(least), body, loose: Some(loose) }
}

const fn any(mark: &'static str, least: usize, body: Body, loose: usize) -> Issue {
    Issue { mark, least: Least::Any(least), body, loose: Some(loose) }
}

const fn exactly(mark: &'static str, length: usize, body: Body, loose: Option<usize>) -> Issue {
    Issue { mark, least: Least::Exactly(length), body, loose }
}

/// Known issues. Of two marks of which one begins the other, the longer stands first.
pub(crate) const ISSUES: [Issue; 92] = {
    use Body::{Capitals, Dotted, Hex, Joined, Plain};
    [
        // Models.
        mixed("sk-ant-", 16, Joined, 8),
        mixed("sk-proj-", 16, Joined, 8),
        mixed("sk-svcacct-", 16, Joined, 8),
        mixed("sk-admin-", 16, Joined, 8),
        mixed("sk-or-v1-", 16, Joined, 8),
        mixed("sk-lf-", 16, Joined, 8),
        mixed("sk-", 18, Joined, 8),
        mixed("gsk_", 16, Plain, 8),
        mixed("csk-", 16, Plain, 16),
        mixed("xai-", 20, Plain, 16),
        mixed("hf_", 16, Plain, 16),
        any("api_org_", 30, Plain, 16),
        mixed("r8_", 16, Plain, 16),
        mixed("fw_", 16, Plain, 16),
        mixed("tgp_", 16, Joined, 16),
        mixed("pplx-", 32, Plain, 32),
        mixed("nvapi-", 20, Joined, 16),
        mixed("pcsk_", 20, Joined, 16),
        mixed("lsv2_pt_", 20, Joined, 16),
        mixed("jina_", 20, Joined, 16),
        mixed("voy-", 20, Joined, 16),
        // Clouds.
        exactly("AKIA", 16, Capitals, Some(12)),
        exactly("ASIA", 16, Capitals, Some(12)),
        exactly("ABIA", 16, Capitals, Some(12)),
        exactly("ACCA", 16, Capitals, Some(12)),
        mixed("AIza", 30, Joined, 16),
        mixed("ya29.", 20, Dotted, 16),
        any("GOCSPX-", 20, Joined, 16),
        mixed("dop_v1_", 32, Hex, 16),
        mixed("doo_v1_", 32, Hex, 16),
        mixed("dor_v1_", 32, Hex, 16),
        exactly("dapi", 32, Hex, None),
        mixed("hvs.", 20, Dotted, 16),
        mixed("hvb.", 20, Dotted, 16),
        mixed("dp.pt.", 20, Plain, 16),
        mixed("dp.st.", 20, Dotted, 16),
        mixed("pul-", 32, Hex, 32),
        mixed("fo1_", 20, Joined, 16),
        mixed("FlyV1_", 20, Joined, 16),
        mixed("rnd_", 20, Plain, 16),
        mixed("sbp_", 20, Hex, 16),
        mixed("pscale_tkn_", 20, Joined, 16),
        mixed("pscale_pw_", 20, Joined, 16),
        mixed("EZAK", 50, Plain, 40),
        // Code and packages.
        mixed("ghp_", 20, Plain, 12),
        mixed("gho_", 20, Plain, 12),
        mixed("ghu_", 20, Plain, 12),
        mixed("ghs_", 20, Plain, 12),
        mixed("ghr_", 20, Plain, 12),
        mixed("github_pat_", 20, Joined, 12),
        any("glpat-", 16, Dotted, 12),
        any("gldt-", 16, Joined, 12),
        any("glrt-", 16, Joined, 12),
        any("glptt-", 16, Joined, 12),
        any("glcbt-", 16, Joined, 12),
        any("glsoat-", 16, Joined, 12),
        mixed("npm_", 24, Plain, 16),
        mixed("pypi-", 40, Joined, 16),
        mixed("rubygems_", 32, Hex, 16),
        mixed("dckr_pat_", 20, Joined, 16),
        mixed("dckr_oat_", 20, Joined, 16),
        mixed("ATATT3", 40, Dotted, 24),
        mixed("ATCTT3", 40, Dotted, 24),
        mixed("sgp_", 32, Joined, 16),
        // Messages.
        mixed("xoxa-", 16, Joined, 8),
        mixed("xoxb-", 16, Joined, 8),
        mixed("xoxe-", 16, Joined, 8),
        mixed("xoxe.xox", 16, Joined, 8),
        mixed("xoxo-", 16, Joined, 8),
        mixed("xoxp-", 16, Joined, 8),
        mixed("xoxr-", 16, Joined, 8),
        mixed("xoxs-", 16, Joined, 8),
        mixed("xapp-", 16, Joined, 8),
        mixed("SG.", 40, Dotted, 16),
        mixed("xkeysib-", 32, Joined, 16),
        exactly("SK", 32, Hex, None),
        exactly("AC", 32, Hex, None),
        exactly("key-", 32, Hex, None),
        // Money and shops.
        mixed("sk_live_", 14, Plain, 12),
        mixed("sk_test_", 14, Plain, 12),
        mixed("rk_live_", 14, Plain, 12),
        mixed("rk_test_", 14, Plain, 12),
        any("whsec_", 20, Plain, 16),
        mixed("shpat_", 24, Hex, 16),
        mixed("shpca_", 24, Hex, 16),
        mixed("shpss_", 24, Hex, 16),
        mixed("sq0atp-", 20, Joined, 16),
        mixed("sq0csp-", 20, Joined, 16),
        // Work.
        mixed("lin_api_", 20, Plain, 16),
        mixed("ntn_", 24, Plain, 16),
        mixed("figd_", 20, Joined, 16),
        mixed("PMAK-", 40, Joined, 24),
    ]
};

/// The key that begins here.
pub(super) fn api_key(ahead: Ahead<'_>) -> Result<Option<(usize, Tail)>, More> {
    let Some(first) = ahead.at(0)? else { return Ok(None) };
    for issue in ISSUES.iter().filter(|issue| issue.mark.as_bytes().first() == Some(&first)) {
        if let Some(length) = key(ahead, issue)? {
            return Ok(Some((length, issue.tail())));
        }
    }
    Ok(None)
}

fn key(ahead: Ahead<'_>, issue: &Issue) -> Look {
    let mark = issue.mark.as_bytes();
    for (at, expected) in mark.iter().enumerate() {
        if !ahead.is(at, |byte| byte == *expected)? {
            return Ok(None);
        }
    }
    let start = mark.len();
    match issue.least {
        Least::Exactly(length) => {
            let run = ahead.run(start, length + 1, |byte| issue.body.holds(byte))?;
            let tied = ahead.is(start + run, |byte| Body::Joined.holds(byte))?;
            Ok((run == length && !tied).then_some(start + length))
        }
        Least::Any(least) => {
            let run = ahead.run(start, least, |byte| issue.body.holds(byte))?;
            Ok((run == least).then_some(start + least))
        }
        Least::Mixed(least) => shown_mixed(ahead, start, least, issue.body),
    }
}

/// Looks on until a letter and a digit have been seen.
fn shown_mixed(ahead: Ahead<'_>, start: usize, least: usize, body: Body) -> Look {
    let (mut digit, mut letter) = (false, false);
    let most = LOOKED_AT.max(least);
    for length in 0..most {
        if length >= least && digit && letter {
            return Ok(Some(start + length));
        }
        match ahead.at(start + length)? {
            Some(byte) if body.holds(byte) => {
                digit |= byte.is_ascii_digit();
                letter |= byte.is_ascii_alphabetic();
            }
            Some(_) | None => return Ok(None),
        }
    }
    Ok((digit && letter).then_some(start + most))
}

impl Issue {
    /// How such a key goes on once it is known to be one.
    const fn tail(&self) -> Tail {
        match (self.least, self.body) {
            (Least::Exactly(_), _) => Tail::Nothing,
            (_, Body::Dotted) => Tail::Dotted,
            (_, Body::Plain | Body::Capitals | Body::Hex | Body::Joined) => Tail::Joined,
        }
    }
}

impl Body {
    const fn holds(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Joined => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dotted => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=')
            }
        }
    }
}
