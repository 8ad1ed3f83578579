//! What is logged, kept and sent on.

use super::Site;
use crate::{
    config::{
        hosts::Url,
        problem::Rule,
        raw::{Named, RawOtlp, RawTelemetry, Secret},
        tree::Path,
        valid::{Otlp, SecretName, Telemetry},
    },
    units::DurationMs,
};

impl Site<'_> {
    pub(super) fn telemetry(&self, raw: Option<&RawTelemetry>) -> Option<Telemetry> {
        let raw = raw?;
        let at = Path::Root.key("telemetry");
        let otlp = match &raw.otlp {
            Some(otlp) => Some(self.otlp(otlp, &at.key("otlp"))?),
            None => None,
        };
        Some(Telemetry {
            log_requests: raw.log_requests?,
            flush: DurationMs(raw.flush_ms?.0),
            ledger_shards: u32::try_from(raw.ledger_shards?.0).ok()?,
            retention_days: u32::try_from(raw.retention_days?.0).ok()?,
            otlp,
        })
    }

    fn otlp(&self, raw: &RawOtlp, at: &Path<'_>) -> Option<Otlp> {
        let help = "write the base address: `endpoint = \"https://collector.example.com:4318\"`";
        self.notes.missing(&at.key("endpoint"), help);
        let endpoint =
            raw.endpoint.as_ref().and_then(|url| self.otlp_endpoint(url, &at.key("endpoint")));
        let headers = raw.headers.as_ref()?;
        let secrets = self.secret_headers(raw.secret_headers.as_ref()?, &at.key("secret_headers"));
        self.check_header_names(headers, &at.key("headers"));
        let every = DurationMs::from_secs(raw.metrics_seconds?.0);
        Some(Otlp {
            endpoint: endpoint?,
            headers: headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            secret_headers: secrets?,
            metrics_every: raw.metrics?.then_some(every),
            trace_share: raw.trace_share?.0,
        })
    }

    fn otlp_endpoint(&self, url: &str, at: &Path<'_>) -> Option<String> {
        let base = url.trim_end_matches('/');
        match Url::read(base) {
            Ok(_) => Some(base.to_owned()),
            Err(why) => {
                let message = format!("the address {why}");
                self.report(at, Rule::BadUrl, message, "write it as `https://host:4318`");
                None
            }
        }
    }

    fn secret_headers(
        &self,
        headers: &Named<Secret>,
        at: &Path<'_>,
    ) -> Option<Vec<(String, SecretName)>> {
        self.check_header_names(headers, at);
        let mut built = Vec::new();
        for (name, secret) in headers.iter() {
            built.extend(self.secret(secret, &at.key(name)).map(|secret| (name.clone(), secret)));
        }
        (built.len() == headers.0.len()).then_some(built)
    }

    fn check_header_names<T>(&self, headers: &Named<T>, at: &Path<'_>) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        for name in headers.0.keys().filter(|name| name.is_empty() || !name.chars().all(is_token)) {
            let message = format!("{name:?} is no name of a header");
            self.report(
                &at.key(name),
                Rule::BadHeader,
                message,
                "use letters, digits, `-` and `_`",
            );
        }
    }
}
