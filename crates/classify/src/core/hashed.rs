//! Hashed tokens: ids without a vocabulary, from the same tokens as the n-grams.

use crate::{
    fold::Folded,
    hash::{START, finish, hash},
    manifest::{HashedPlan, HashedUnit, View},
    tokens::tokens,
};

/// Ids below this stand for padding and the four sources.
const FIRST: u32 = 5;

/// The ids of all tokens, row by row, one row of `plan.views.len()` a token.
pub(super) fn ids(plan: &HashedPlan, folded: &Folded) -> Vec<i64> {
    match plan.unit {
        HashedUnit::Char => folded.points().chunks(1).flat_map(|point| row(plan, point)).collect(),
        HashedUnit::Word => {
            tokens(folded.points()).flat_map(|token| row(plan, token.points)).collect()
        }
    }
}

fn row<'a>(plan: &'a HashedPlan, token: &'a [u32]) -> impl Iterator<Item = i64> + 'a {
    (0..).zip(&plan.views).map(move |(number, view)| {
        let seen = match view {
            View::Word => token,
            View::Prefix(length) => token.get(..*length).unwrap_or(token),
            View::Suffix(length) => {
                token.get(token.len().saturating_sub(*length)..).unwrap_or(token)
            }
        };
        // The manifest's check has seen that the vocabulary is larger than `FIRST`.
        let bucket =
            finish(hash(START ^ number, seen)) % plan.vocabulary.saturating_sub(FIRST).max(1);
        i64::from(FIRST + bucket)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(views: &[View]) -> HashedPlan {
        let (unit, vocabulary) = (HashedUnit::Word, 1000);
        HashedPlan { unit, vocabulary, views: views.to_vec(), source: true }
    }

    #[test]
    fn views_see_the_whole_word_its_head_or_its_tail() {
        let plan = plan(&[View::Word, View::Prefix(4), View::Suffix(3)]);
        let rows = ids(&plan, &Folded::new("ignored ignoring ig"));
        let [ignored, ignoring, ig] = rows.as_chunks::<3>().0 else { panic!("three rows") };
        assert_ne!(ignored[0], ignoring[0]);
        assert_eq!(ignored[1], ignoring[1]);
        assert_ne!(ignored[2], ignoring[2]);
        assert!(rows.iter().all(|id| (5..1000).contains(id)));
        assert_eq!(ids(&plan, &Folded::new("ig")), ig);
    }

    #[test]
    fn characters_are_tokens_too() {
        let plan = HashedPlan { unit: HashedUnit::Char, ..plan(&[View::Word]) };
        assert_eq!(ids(&plan, &Folded::new("a b")).len(), 3);
    }
}
