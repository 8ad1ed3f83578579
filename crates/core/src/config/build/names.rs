//! Names: which can be used, and which lead somewhere.

use super::Site;
use crate::config::{findings::Found, nearest, problem::Rule, raw::RawConfig, secrets, tree::Path};

impl Site<'_> {
    /// Reports a name that cannot stand in metrics, logs and requests; `further` are characters
    /// allowed beside letters, digits and `.`, `_`, `-`.
    pub(super) fn check_name(
        &self,
        name: &str,
        further: &str,
        longest: usize,
        at: &Path<'_>,
    ) -> bool {
        let is_allowed = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') || further.contains(c)
        };
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_usable = starts_well && name.len() <= longest && name.chars().all(is_allowed);
        if !is_usable {
            let message = format!("{} is not a usable name", secrets::quoted(name));
            let help = format!(
                "a name begins with a letter or digit, goes on with letters, digits and `._-{further}`, \
                 and has {longest} characters at most"
            );
            self.notes.at_value(at, Found::new(Rule::BadName, message).help(help));
        }
        is_usable
    }

    fn has_model(raw: &RawConfig, name: &str) -> bool {
        raw.models.as_ref().is_some_and(|models| models.has(name))
    }

    /// Reports a model that is not configured.
    pub(super) fn check_model_name(&self, name: &str, raw: &RawConfig, at: &Path<'_>) {
        if Self::has_model(raw, name) {
            return;
        }
        let known: Vec<_> =
            raw.models.iter().flat_map(|models| models.0.keys()).map(String::as_str).collect();
        let help = match nearest::word(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name.contains('*') => {
                "patterns are not supported: name models, or `*` alone".to_owned()
            }
            None if known.is_empty() => "no model is configured".to_owned(),
            None => format!("the models are {}", nearest::listing(&known)),
        };
        let message = format!("no model is named {}", secrets::quoted(name));
        self.notes.at_value(at, Found::new(Rule::UnknownModel, message).help(help));
    }
}
