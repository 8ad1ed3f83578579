//! Where classifiers judge.

use std::collections::BTreeMap;

use super::Site;
use crate::{
    config::{
        problem::Rule,
        raw::{ClassifierPlacement, Named, Pair, RawClassifier, RawConfig},
        tree::Path,
        valid::Classifier,
    },
    gather::Gather,
    placement::cascade::{Placed, Shares},
};

impl Site<'_> {
    pub(super) fn classifiers(&self, raw: &RawConfig) -> Option<BTreeMap<String, Classifier>> {
        let at = Path::Root.key("classifiers");
        let named = raw.classifiers.iter().flat_map(Named::iter);
        let built: BTreeMap<String, Classifier> = named
            .filter_map(|(name, classifier)| {
                let built = self.classifier(name, classifier, raw, &at.key(name))?;
                Some((name.clone(), built))
            })
            .gather();
        let count = raw.classifiers.as_ref().map_or(0, |named| named.0.len());
        (built.len() == count).then_some(built)
    }

    fn classifier(
        &self,
        name: &str,
        raw: &RawClassifier,
        root: &RawConfig,
        at: &Path<'_>,
    ) -> Option<Classifier> {
        let is_named = self.check_name(name, "", 64, at);
        self.notes.missing(&at.key("placement"), "write `placement = \"auto\"`");
        let shares = self.shares(raw, at);
        let placement = raw.placement?;
        match (placement, &raw.gpu) {
            (ClassifierPlacement::Edge, Some(_)) => {
                let message = "the edge judges every text, so nothing is put to the GPU";
                let help = "take it out, or write `placement = \"auto\"`";
                self.report(&at.key("gpu"), Rule::NoEffect, message, help);
            }
            (ClassifierPlacement::Edge, None) => {}
            (ClassifierPlacement::Gpu | ClassifierPlacement::Auto, gpu) => {
                let help = "name the model of `[models]` that judges: `gpu = \"llama-guard\"`";
                self.notes.missing(&at.key("gpu"), help);
                self.check_model_name(gpu.as_ref()?, root, &at.key("gpu"));
            }
        }
        let placed = match placement {
            ClassifierPlacement::Edge => Placed::Edge,
            ClassifierPlacement::Gpu => Placed::Gpu,
            ClassifierPlacement::Auto => Placed::Auto(shares?),
        };
        let gpu = raw.gpu.clone().filter(|_| placement != ClassifierPlacement::Edge);
        is_named.then_some(Classifier { placed, gpu, fallback: raw.fallback? })
    }

    fn shares(&self, raw: &RawClassifier, at: &Path<'_>) -> Option<Shares> {
        let uncertain = raw.uncertain.map(|Pair(low, high)| (low.0, high.0));
        self.check_ends(uncertain, &at.key("uncertain"));
        Some(Shares {
            max_chars: raw.max_chars.map(|chars| chars.0),
            max_batch: raw.max_batch?.0,
            uncertain,
        })
    }
}
