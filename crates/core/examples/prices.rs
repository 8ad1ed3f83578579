//! Makes `rules/prices.toml` from LiteLLM's price table.
//!
//! ```sh
//! cargo run -p tollhouse-core --example prices -- model_prices.json 2026-11-22 > rules/prices.toml
//! ```
//!
//! The input is a JSON object of models as in LiteLLM's `model_prices_and_context_window.json`
//! (MIT), the second argument the day it was read. What the source does not
//! say (which models refuse sampling parameters, what follows a retired one) stands in this file.

use std::{collections::BTreeMap, env, error::Error, fmt::Write as _, fs, io::Write as _};

use serde::Deserialize;

/// Provider as the source names it, as we name it, and what its model names begin with there.
const PROVIDERS: [(&str, &str, &str); 13] = [
    ("openai", "openai", ""),
    ("text-completion-openai", "openai", ""),
    ("anthropic", "anthropic", ""),
    ("gemini", "gemini", "gemini/"),
    ("mistral", "mistral", "mistral/"),
    ("groq", "groq", "groq/"),
    ("deepseek", "deepseek", "deepseek/"),
    ("xai", "xai", "xai/"),
    ("cohere", "cohere", "cohere/"),
    ("cohere_chat", "cohere", ""),
    ("perplexity", "perplexity", "perplexity/"),
    ("together_ai", "together", "together_ai/"),
    ("fireworks_ai", "fireworks", "fireworks_ai/accounts/fireworks/models/"),
];

/// Models that nobody calls by this name, experiments, music, and one price that is off by a
/// thousand in the source.
const LEFT_OUT: [&str; 16] = [
    "openai/container",
    "lyria",
    "learnlm",
    "robotics",
    "gemini-exp",
    "deep-research-preview",
    "deep-research-max-preview",
    "deep-research-pro-preview",
    "-beta",
    "-gv2",
    "-multi-agent",
    "vibe-cli",
    "pplx-7",
    "together-ai-",
    "together_ai/togethercomputer",
    "embed-multilingual-light-v3.0",
];

/// Of the hundreds of models at Fireworks, those that are called.
const FIREWORKS: [&str; 17] = [
    "deepseek-r1-0528",
    "deepseek-v3",
    "deepseek-v4",
    "glm-",
    "gpt-oss",
    "kimi-",
    "llama-v3p1-405b-instruct",
    "llama-v3p1-70b-instruct",
    "llama-v3p1-8b-instruct",
    "llama-v3p3-70b-instruct",
    "llama4-",
    "minimax-m",
    "mixtral-8x22b-instruct",
    "muse-",
    "qwen3-coder",
    "qwen3-235b",
    "qwen3p",
];

/// What to use instead of a retired model, by the beginning of its name; the longest one counts. A
/// dated name whose undated one lives on needs no entry.
const SUCCESSORS: [(&str, &str); 24] = [
    ("anthropic/claude-mythos-preview", "claude-mythos-5"),
    ("anthropic/claude-sonnet-4-5", "claude-sonnet-4-6"),
    ("deepseek/deepseek-chat", "deepseek-v4-flash"),
    ("deepseek/deepseek-reasoner", "deepseek-v4-flash"),
    ("gemini/gemini-3.1-flash-lite-preview", "gemini-3.1-flash-lite"),
    ("mistral/zai-glm-5-2", "zai-glm-5-3"),
    ("openai/gpt-3.5-turbo", "gpt-4.1-mini"),
    ("openai/gpt-4-", "gpt-4.1"),
    ("openai/gpt-4.1-nano", "gpt-5.4-nano"),
    ("openai/gpt-4o-audio", "gpt-audio-1.5"),
    ("openai/gpt-4o-mini-audio", "gpt-audio-1.5"),
    ("openai/gpt-5-chat", "chat-latest"),
    ("openai/gpt-5-codex", "gpt-5.3-codex"),
    ("openai/gpt-5.1", "gpt-5.2"),
    ("openai/gpt-5.1-chat", "chat-latest"),
    ("openai/gpt-5.1-codex", "gpt-5.3-codex"),
    ("openai/gpt-5.2-chat", "chat-latest"),
    ("openai/gpt-5.2-codex", "gpt-5.3-codex"),
    ("openai/gpt-5.3-chat", "chat-latest"),
    ("openai/gpt-audio", "gpt-audio-1.5"),
    ("openai/o1", "o3"),
    ("openai/o1-pro", "o3-pro"),
    ("openai/o3-mini", "gpt-5-mini"),
    ("openai/o4-mini", "gpt-5-mini"),
];

/// Retired models that nothing follows, though their names begin as above.
const NO_SUCCESSOR: [&str; 2] = ["openai/gpt-3.5-turbo-instruct", "openai/o4-mini-deep-research"];

#[derive(Deserialize, Clone)]
struct Source {
    litellm_provider: String,
    mode: String,
    input_cost_per_token: Option<f64>,
    cache_read_input_token_cost: Option<f64>,
    cache_creation_input_token_cost: Option<f64>,
    output_cost_per_token: Option<f64>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    deprecation_date: Option<String>,
    #[serde(default)]
    supports_reasoning: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(path), Some(date)) = (args.next(), args.next()) else {
        return Err("usage: prices MODEL_PRICES.json DATE".into());
    };
    let source: BTreeMap<String, Source> = serde_json::from_str(&fs::read_to_string(path)?)?;
    let models = chosen(&source);
    let mut lines: Vec<String> =
        models.iter().map(|(name, model)| line(name, model, &models)).collect();
    lines.sort();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "# What hosted models cost, in US dollars per million tokens, and what they take.\n\
         # Made by crates/core/examples/prices.rs; one model a line, sorted: the gateway bisects it.\n\
         source = \"LiteLLM 1.106.2, model prices and context windows (PyPI package litellm, MIT)\"\n\
         read = \"{date}\"\n\n[models]\n{}",
        lines.join("\n")
    )?;
    Ok(())
}

/// The models that users call, by `provider/model`.
fn chosen(source: &BTreeMap<String, Source>) -> BTreeMap<String, Source> {
    let mut models = BTreeMap::new();
    for (name, model) in source {
        let Some((_, ours, start)) =
            PROVIDERS.into_iter().find(|(theirs, ..)| *theirs == model.litellm_provider)
        else {
            continue;
        };
        if is_called(name, model) {
            let bare = name.strip_prefix(start).unwrap_or(name);
            let prefix = if ours == "fireworks" { "accounts/fireworks/models/" } else { "" };
            models.insert(format!("{ours}/{prefix}{bare}"), model.clone());
        }
    }
    models
}

fn is_called(name: &str, model: &Source) -> bool {
    let is_free = model.input_cost_per_token.unwrap_or(0.0) <= 0.0 && model.mode != "moderation";
    let is_left_out = LEFT_OUT.iter().any(|part| name.contains(part));
    let is_wanted = match model.litellm_provider.as_str() {
        "perplexity" => {
            name.starts_with("perplexity/sonar") || name.starts_with("perplexity/pplx-embed")
        }
        "gemini" => name.starts_with("gemini/"),
        "fireworks_ai" => name
            .strip_prefix("fireworks_ai/accounts/fireworks/models/")
            .is_some_and(|bare| FIREWORKS.iter().any(|start| bare.starts_with(start))),
        _ => true,
    };
    !is_free && !is_left_out && is_wanted
}

fn line(name: &str, model: &Source, models: &BTreeMap<String, Source>) -> String {
    let mut line = format!("\"{name}\" = {{ mode = \"{}\"", model.mode);
    let input = model.input_cost_per_token;
    // One price for writing to the cache that is below the plain one is a swapped column.
    let (mut cached, mut write) =
        (model.cache_read_input_token_cost, model.cache_creation_input_token_cost);
    if write < input {
        cached = cached.or(write.filter(|price| *price > 0.0));
        write = None;
    }
    let prices = [
        ("input", input),
        ("cached_input", cached.filter(|cached| Some(*cached) != input)),
        ("cache_write", write.filter(|write| Some(*write) != input)),
        ("output", model.output_cost_per_token),
    ];
    for (key, price) in prices {
        if let Some(price) = price {
            let _ = write!(line, ", {key} = {}", usd_per_million(price));
        }
    }
    for (key, tokens) in
        [("context", model.max_input_tokens), ("max_output", model.max_output_tokens)]
    {
        if let Some(tokens) = tokens.filter(|tokens| *tokens > 0) {
            let _ = write!(line, ", {key} = {tokens}");
        }
    }
    let is_reasoning = name.starts_with("openai/") && model.supports_reasoning;
    if is_reasoning {
        line.push_str(", max_completion_tokens = true");
    }
    // OpenAI's search models refuse sampling parameters as its reasoning models do.
    if is_reasoning || name.starts_with("openai/") && name.contains("-search-") {
        line.push_str(", sampling = false");
    }
    if let Some(date) = &model.deprecation_date {
        let _ = write!(line, ", retires = \"{date}\"");
        if let Some(successor) = successor(name, models) {
            let _ = write!(line, ", successor = \"{successor}\"");
        }
    }
    line.push_str(" }");
    line
}

/// Rounded to a picodollar a token, without zeros at the end.
fn usd_per_million(usd_per_token: f64) -> String {
    let text = format!("{:.6}", usd_per_token * 1e6);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = decimals.trim_end_matches('0');
    format!("{whole}.{}", if decimals.is_empty() { "0" } else { decimals })
}

fn successor(name: &str, models: &BTreeMap<String, Source>) -> Option<String> {
    if NO_SUCCESSOR.iter().any(|start| name.starts_with(start)) {
        return None;
    }
    let (provider, model) = name.split_once('/')?;
    let lives = |model: &str| {
        models
            .get(&format!("{provider}/{model}"))
            .is_some_and(|model| model.deprecation_date.is_none())
    };
    if let Some(undated) = undated(model).filter(|undated| lives(undated)) {
        return Some(undated.to_owned());
    }
    let starts = SUCCESSORS
        .iter()
        .filter(|(start, _)| name.starts_with(start) || format!("{name}-") == *start);
    starts
        .max_by_key(|(start, _)| start.len())
        .map(|(_, successor)| (*successor).to_owned())
        .filter(|successor| {
            successor != model && models.contains_key(&format!("{provider}/{successor}"))
        })
}

/// `gpt-4o` of `gpt-4o-2024-05-13`, `claude-x` of `claude-x-20250929`.
fn undated(model: &str) -> Option<&str> {
    let is_date = |text: &str, parts: &[usize]| {
        text.split('-').map(str::len).eq(parts.iter().copied())
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    };
    [(11, [4, 2, 2].as_slice()), (9, [8].as_slice())].into_iter().find_map(|(length, parts)| {
        let (bare, date) = model.split_at_checked(model.len().checked_sub(length)?)?;
        is_date(date.strip_prefix('-')?, parts).then_some(bare)
    })
}
