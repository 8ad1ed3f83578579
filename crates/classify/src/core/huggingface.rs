//! A tokenizer of Hugging Face's `tokenizers`, for graphs that were trained with one.

use std::fmt;

use tokenizers::pipeline::{EncodeOptions, Override, PipelineToken, PipelineTokenizer};

use crate::error::{LoadError, RunError};

/// A `tokenizer.json`, read.
pub(super) struct HuggingFace {
    tokenizer: PipelineTokenizer,
    /// Special ids before the text's.
    pub(super) before: Vec<i64>,
    /// Special ids after them.
    pub(super) after: Vec<i64>,
    /// What short windows are filled with.
    pub(super) padding: i64,
}

impl HuggingFace {
    /// Reads a `tokenizer.json` of any age.
    pub(super) fn load(file: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let problem = |problem: String| LoadError::Tokenizer { file: file.to_owned(), problem };
        let text = std::str::from_utf8(bytes).map_err(|error| problem(error.to_string()))?;
        let text =
            tokenizers::canonicalize_str(text).map_err(|error| problem(error.to_string()))?;
        let tokenizer = tokenizers::from_json(&text).map_err(|error| problem(error.to_string()))?;
        let template = &tokenizer.get_post_processor().single;
        let ids = |run: &[(PipelineToken, u8)]| {
            run.iter().map(|(token, _)| i64::from(u32::from(*token))).collect()
        };
        let (before, after) = (ids(&template.prefix), ids(&template.suffix));
        let padding = tokenizer.get_padding().map_or(0, |padding| i64::from(padding.pad_id));
        Ok(Self { tokenizer, before, after, padding })
    }

    /// The ids of the text alone.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<i64>, RunError> {
        let options = EncodeOptions {
            padding: Override::Off,
            truncation: Override::Off,
            ..EncodeOptions::no_specials()
        };
        let mut ids = Vec::new();
        self.tokenizer
            .encode_into(text, &options, &mut ids)
            .map_err(|error| RunError::Tokenizer(error.to_string()))?;
        Ok(ids.into_iter().map(|id| i64::from(u32::from(id))).collect())
    }
}

impl fmt::Debug for HuggingFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HuggingFace").field("padding", &self.padding).finish_non_exhaustive()
    }
}
