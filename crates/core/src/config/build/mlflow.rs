//! The tracking server, and what callers may say of answers.

use super::Site;
use crate::{
    config::{
        hosts::Url,
        problem::Rule,
        raw::{RawFeedback, RawMlflow},
        tree::Path,
        valid::{Credentials, FeedbackPolicy, Mlflow},
    },
    units::DurationMs,
};

impl Site<'_> {
    pub(super) fn feedback(&self, raw: Option<&RawFeedback>) -> Option<FeedbackPolicy> {
        let raw = raw?;
        let at = Path::Root.key("feedback");
        let at = at.key("labels");
        let written = raw.labels.as_ref()?;
        let mut labels = Vec::new();
        for (index, label) in written.iter() {
            if self.check_name(label, "", 32, &at.index(index)) {
                labels.push(label.clone());
            }
        }
        let is_whole = labels.len() == written.0.len();
        Some(FeedbackPolicy { labels, comments: raw.comments? }).filter(|_| is_whole)
    }

    /// Outer `None` where it is written and cannot be used.
    #[expect(clippy::option_option, reason = "most gateways have none")]
    pub(super) fn mlflow(&self, raw: Option<&RawMlflow>) -> Option<Option<Mlflow>> {
        let Some(raw) = raw else { return Some(None) };
        let at = Path::Root.key("mlflow");
        self.notes.missing(&at.key("url"), "write its address: `url = \"http://mlflow:5000\"`");
        let url = raw.url.as_ref().and_then(|url| self.server(url, &at.key("url")));
        let credentials = self.credentials(raw, &at);
        let experiment = raw.experiment.as_ref()?;
        let is_named = self.check_name(experiment, " /", 128, &at.key("experiment"));
        Some(Some(Mlflow {
            url: url?,
            experiment: experiment.clone(),
            credentials: credentials?,
            every: DurationMs::from_secs(raw.every_seconds?.0),
            trace_share: raw.trace_share?.0,
        }))
        .filter(|_| is_named)
    }

    fn server(&self, url: &str, at: &Path<'_>) -> Option<String> {
        let base = url.trim_end_matches('/');
        if let Err(why) = Url::read(base) {
            let message = format!("the address {why}");
            self.report(at, Rule::BadUrl, message, "write it as `https://host:5000`");
            return None;
        }
        Some(base.to_owned())
    }

    #[expect(clippy::option_option, reason = "outer `None` for secrets that cannot be read")]
    fn credentials(&self, raw: &RawMlflow, at: &Path<'_>) -> Option<Option<Credentials>> {
        match (&raw.token, &raw.username, &raw.password) {
            (None, None, None) => Some(None),
            (Some(token), None, None) => {
                self.secret(token, &at.key("token")).map(|token| Some(Credentials::Bearer(token)))
            }
            (None, Some(username), Some(password)) => {
                let password = self.secret(password, &at.key("password"))?;
                Some(Some(Credentials::Basic { username: username.clone(), password }))
            }
            (None, username, _) => {
                let absent = if username.is_some() { "password" } else { "username" };
                let help = "basic authentication takes `username` and `password`";
                self.notes.missing(&at.key(absent), help);
                None
            }
            (Some(_), _, _) => {
                let message = "`token` and a password are two ways to be known";
                self.report(&at.key("token"), Rule::MisplacedKey, message, "take one out");
                None
            }
        }
    }
}
