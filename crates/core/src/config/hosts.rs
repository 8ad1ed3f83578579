//! What is known of providers by the host of their API, and how addresses are read.

/// A provider with an OpenAI-compatible API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Host {
    /// The host's name.
    pub(crate) name: &'static str,
    /// The provider's name in `rules/prices.toml`.
    pub(crate) prices: &'static str,
    /// The path before `/chat/completions`.
    pub(crate) base_path: &'static str,
    /// Whether it takes `stream_options`.
    pub(crate) stream_usage: bool,
    /// How it goes on with an answer that is begun, as `targets[].prefill` has it.
    pub(crate) prefill: &'static str,
}

const fn host(name: &'static str, prices: &'static str, base_path: &'static str) -> Host {
    Host { name, prices, base_path, stream_usage: true, prefill: "none" }
}

const HOSTS: [Host; 13] = [
    host("api.openai.com", "openai", "/v1"),
    host("api.anthropic.com", "anthropic", "/v1"),
    host("generativelanguage.googleapis.com", "gemini", "/v1beta/openai"),
    // Its API refuses fields it does not know, `stream_options` among them, and reports usage unasked.
    // An answer is gone on with where its message has `prefix: true` (docs.mistral.ai, "Prefix").
    Host { stream_usage: false, prefill: "prefix", ..host("api.mistral.ai", "mistral", "/v1") },
    host("api.groq.com", "groq", "/openai/v1"),
    host("api.deepseek.com", "deepseek", "/v1"),
    host("api.x.ai", "xai", "/v1"),
    host("api.cohere.ai", "cohere", "/compatibility/v1"),
    host("api.cohere.com", "cohere", "/compatibility/v1"),
    host("api.together.xyz", "together", "/v1"),
    host("api.together.ai", "together", "/v1"),
    host("api.fireworks.ai", "fireworks", "/inference/v1"),
    host("api.perplexity.ai", "perplexity", ""),
];

/// An absolute http or https address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    pub(crate) is_https: bool,
    /// Without port, user and brackets.
    pub(crate) host: &'a str,
    /// From the first slash on, without one at its end.
    pub(crate) path: &'a str,
}

impl<'a> Url<'a> {
    /// Reads an address; says what keeps it from being one that can be built upon.
    pub(crate) fn read(text: &'a str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has spaces or characters that an address cannot hold");
        }
        let (is_https, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err("is neither http nor https"),
            None => return Err("has no `https://` before its host"),
        };
        if rest.contains(['?', '#']) {
            return Err("has a query or fragment, which would be lost");
        }
        let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("has a user or password before its host");
        }
        let host = host_of(authority).ok_or("has no valid host and port")?;
        let path = rest.get(authority.len()..).unwrap_or_default().trim_end_matches('/');
        Ok(Self { is_https, host, path })
    }

    /// Reads an address whose query belongs to it.
    pub(crate) fn read_with_query(text: &'a str) -> Result<Self, &'static str> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        if !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err("has a query with characters that it cannot hold");
        }
        Self::read(address)
    }

    /// Whether the host can be reached from the public network, as far as its name tells.
    pub(crate) fn is_public(&self) -> bool {
        const PRIVATE_ENDS: [&str; 6] =
            [".local", ".localhost", ".internal", ".lan", ".home.arpa", ".svc"];
        if let Ok(ip) = self.host.parse::<std::net::IpAddr>() {
            return match ip {
                std::net::IpAddr::V4(ip) => {
                    !(ip.is_private() || ip.is_loopback() || ip.is_link_local())
                }
                std::net::IpAddr::V6(ip) => {
                    !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local())
                }
            };
        }
        let host = self.host.to_ascii_lowercase();
        host.contains('.') && !PRIVATE_ENDS.iter().any(|end| host.ends_with(end))
    }

    /// What is known of the host.
    pub(crate) fn known(&self) -> Option<Host> {
        let name = self.host.to_ascii_lowercase();
        HOSTS.into_iter().find(|known| known.name == name)
    }
}

/// What is known of an address's host.
pub(crate) fn of_url(text: &str) -> Option<Host> {
    Url::read(text).ok()?.known()
}

/// The host of `host:port`, with brackets taken off an IPv6 address.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("80")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("80")),
        },
    };
    let is_port = port?.parse::<u16>().is_ok_and(|port| port > 0);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    (is_port && !host.is_empty() && host.bytes().all(is_name)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_bad_ones_say_why() {
        let url = Url::read("https://api.groq.com/openai/v1/").unwrap();
        assert_eq!((url.host, url.path, url.is_https), ("api.groq.com", "/openai/v1", true));
        assert_eq!(url.known().map(|host| host.prices), Some("groq"));
        assert_eq!(Url::read("http://[::1]:8080/v1").map(|url| url.host), Ok("::1"));
        for bad in [
            "api.openai.com",
            "ftp://a",
            "https://",
            "https://a b",
            "https://a?x",
            "https://u:p@h",
            "https://h:0",
            "https://h:x",
            "https:///v1",
            "http://[::zz]/",
        ] {
            assert!(Url::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_hosts_are_told_from_public_ones() {
        for (url, is_public) in [
            ("http://localhost:8000", false),
            ("http://10.0.0.7/v1", false),
            ("http://[fd00::1]/v1", false),
            ("http://gpu.internal/v1", false),
            ("http://8.8.8.8/v1", true),
            ("http://example.com/v1", true),
        ] {
            assert_eq!(Url::read(url).map(|url| url.is_public()), Ok(is_public), "{url}");
        }
    }
}
