//! What is known of hosted models: prices, context, retirement, and what they take.
//!
//! The table is `rules/prices.toml`, carried inside. It holds one model a line, sorted, so that a
//! model is found by bisection and only its own line is parsed: a Worker that starts pays for the
//! models it uses. A model that is not in it has an unknown price, never a zero one.

use std::cmp::Ordering;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PicoUsdPerToken, Price};
use crate::units::Tokens;

const TABLE: &str = include_str!("../../../../rules/prices.toml");

/// The line after which the models stand.
const HEAD: &str = "\n[models]\n";

/// Providers in the order in which a bare model name is looked for.
const PROVIDERS: [&str; 11] = [
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "deepseek",
    "xai",
    "cohere",
    "groq",
    "perplexity",
    "together",
    "fireworks",
];

/// What is known of a provider's model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// What it costs.
    pub price: Option<Price>,
    /// What it is for: `chat`, `completion`, `responses`, `embedding` or `moderation`.
    pub mode: String,
    /// The context window, prompt and completion together.
    pub context: Option<Tokens>,
    /// The most tokens it can answer with.
    pub max_output: Option<Tokens>,
    /// True for models that take `max_completion_tokens` and refuse `max_tokens`.
    pub max_completion_tokens: bool,
    /// False for models that refuse `temperature` and `top_p`.
    pub sampling: bool,
    /// The day its provider retires it: `2026-10-23`.
    pub retires: Option<String>,
    /// The same provider's model to use instead.
    pub successor: Option<String>,
}

/// What is known of `model` at `provider`, both as `rules/prices.toml` names them.
///
/// ```
/// let facts = tollhouse_core::price::table::find("openai", "gpt-4o-mini").unwrap();
/// assert_eq!(facts.price.unwrap().input.usd_per_million(), 0.15);
/// assert_eq!(tollhouse_core::price::table::find("openai", "made-up"), None);
/// ```
pub fn find(provider: &str, model: &str) -> Option<ModelFacts> {
    let model = tuned_base(model).unwrap_or(model);
    row(lines(), &format!("\"{provider}/{model}\" = ")).and_then(parse)
}

/// What is known of `model` at the first provider that has one of that name.
pub fn find_first(model: &str) -> Option<ModelFacts> {
    PROVIDERS.iter().find_map(|provider| find(provider, model))
}

/// A line as it is written. Read by hand: serde's reader of TOML is of no other use to a Worker, and
/// weighs more than the table.
struct Row<'a>(DeTable<'a>);

impl Row<'_> {
    fn get(&self, key: &str) -> Option<&DeValue<'_>> {
        self.0.get(key).map(Spanned::get_ref)
    }

    fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    fn tokens(&self, key: &str) -> Option<Tokens> {
        match self.get(key)? {
            DeValue::Integer(number) => number.as_str().parse().ok().map(Tokens),
            _ => None,
        }
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_str().map(str::to_owned)
    }
}

/// `ft:gpt-4o-mini-2024-07-18` of `ft:gpt-4o-mini-2024-07-18:organisation::id`.
fn tuned_base(model: &str) -> Option<&str> {
    let base = model.strip_prefix("ft:")?.split(':').next()?;
    model.get(.."ft:".len() + base.len())
}

fn lines() -> &'static str {
    TABLE.split_once(HEAD).map_or("", |(_, lines)| lines)
}

/// The rest of the line that begins with `start`, of lines in ascending order.
fn row<'a>(mut lines: &'a str, start: &str) -> Option<&'a str> {
    while !lines.is_empty() {
        let middle = lines.len() / 2;
        let before = lines.get(..middle)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, after) = lines.get(line_start..)?.split_once('\n')?;
        if let Some(rest) = line.strip_prefix(start) {
            return Some(rest);
        }
        match line.cmp(start) {
            Ordering::Less => lines = after,
            Ordering::Equal | Ordering::Greater => lines = lines.get(..line_start)?,
        }
    }
    None
}

fn parse(row: &str) -> Option<ModelFacts> {
    let DeValue::Table(row) = DeValue::parse(row).ok()?.into_inner() else { return None };
    let row = Row(row);
    let mode = row.text("mode")?;
    let pico = PicoUsdPerToken::from_usd_per_million;
    // What only reads has no price for what it writes; elsewhere half a price is none.
    let only_reads = matches!(mode.as_str(), "embedding" | "moderation");
    let output = row.number("output").or_else(|| only_reads.then_some(0.0));
    let price = row.number("input").zip(output).map(|(input, output)| Price {
        input: pico(input),
        cached_input: pico(row.number("cached_input").unwrap_or(input)),
        cache_write: pico(row.number("cache_write").unwrap_or(input)),
        output: pico(output),
    });
    Some(ModelFacts {
        price,
        mode,
        context: row.tokens("context"),
        max_output: row.tokens("max_output"),
        max_completion_tokens: row.flag("max_completion_tokens").unwrap_or(false),
        sampling: row.flag("sampling").unwrap_or(true),
        retires: row.text("retires"),
        successor: row.text("successor"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    /// A line as serde reads it.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        input: Option<f64>,
        cached_input: Option<f64>,
        cache_write: Option<f64>,
        output: Option<f64>,
        mode: String,
        context: Option<u64>,
        max_output: Option<u64>,
        max_completion_tokens: Option<bool>,
        sampling: Option<bool>,
        retires: Option<String>,
        successor: Option<String>,
    }

    fn all() -> BTreeMap<String, Written> {
        #[derive(Deserialize)]
        struct Table {
            models: BTreeMap<String, Written>,
        }
        toml::from_str::<Table>(TABLE).unwrap().models
    }

    #[test]
    fn whatever_a_line_says_is_read() {
        for (name, row) in all() {
            let (provider, model) = name.split_once('/').unwrap();
            let facts = find(provider, model).unwrap();
            assert_eq!(facts.mode, row.mode, "{name}");
            assert_eq!(facts.context, row.context.map(Tokens), "{name}");
            assert_eq!(facts.max_output, row.max_output.map(Tokens), "{name}");
            let flags = (row.max_completion_tokens.unwrap_or(false), row.sampling.unwrap_or(true));
            assert_eq!((facts.max_completion_tokens, facts.sampling), flags, "{name}");
            assert_eq!((&facts.retires, &facts.successor), (&row.retires, &row.successor));
            let pico = PicoUsdPerToken::from_usd_per_million;
            let input = facts.price.map(|price| (price.input, price.cached_input));
            let cached = row.cached_input.or(row.input);
            assert!(input.is_none() || input == row.input.map(pico).zip(cached.map(pico)));
            let output = facts.price.map(|price| (price.cache_write, price.output));
            let (written, answered) = (row.cache_write.or(row.input), row.output.unwrap_or(0.0));
            assert!(output.is_none() || output == written.map(pico).zip(Some(pico(answered))));
        }
    }

    #[test]
    fn bisection_finds_every_model_that_the_file_holds() {
        let all = all();
        assert_eq!(lines().lines().count(), all.len());
        assert!(lines().lines().is_sorted());
        for name in all.keys() {
            let (provider, model) = name.split_once('/').unwrap();
            assert!(find(provider, model).is_some(), "{name}");
            assert!(PROVIDERS.contains(&provider), "{name}");
        }
    }

    #[test]
    fn a_model_that_is_not_there_is_unknown() {
        for model in ["", "gpt", "gpt-4o-mini ", "gpt-4o-mini\" = ", "\n", "zzz", "\u{0}"] {
            assert_eq!(find("openai", model), None, "{model:?}");
        }
        assert_eq!(find("groq", "gpt-4o-mini"), None);
    }

    #[test]
    fn a_fine_tuned_model_costs_what_its_base_costs() {
        let base = find("openai", "ft:gpt-4o-mini-2024-07-18");
        assert!(base.is_some());
        assert_eq!(find("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc123"), base);
    }

    #[test]
    fn successors_are_in_the_table_and_outlive_what_they_follow() {
        let all = all();
        for (name, row) in &all {
            let Some(successor) = &row.successor else { continue };
            let (provider, _) = name.split_once('/').unwrap();
            let after = &all
                .get(&format!("{provider}/{successor}"))
                .unwrap_or_else(|| panic!("{name}: {successor}"))
                .retires;
            assert!(
                after.is_none() || after > &row.retires,
                "{name}: {successor} is retired {after:?}"
            );
        }
    }

    #[test]
    fn every_price_is_a_whole_number_of_picodollars_and_none_is_nothing() {
        for (name, row) in all() {
            let prices = [row.input, row.cached_input, row.cache_write, row.output];
            for price in prices.into_iter().flatten() {
                let pico = PicoUsdPerToken::from_usd_per_million(price);
                assert!((pico.usd_per_million() - price).abs() < 1e-12, "{name}: {price}");
            }
            assert!(row.mode == "moderation" || row.input > Some(0.0), "{name}");
        }
    }

    #[test]
    fn reasoning_models_refuse_sampling() {
        for model in ["o3", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.6-luna"] {
            let facts = find("openai", model).unwrap();
            assert!(facts.max_completion_tokens && !facts.sampling, "{model}");
        }
        let facts = find("openai", "gpt-4o").unwrap();
        assert!(!facts.max_completion_tokens && facts.sampling);
    }
}
