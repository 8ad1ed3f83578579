"""Near-duplicates by MinHash over word 5-grams, banded."""

from __future__ import annotations

import numpy as np

from .text import codes, finalise, folded, ngram_hashes, tokens, word_hash

_BANDS, _ROWS = 12, 4
_SEEDS = finalise(np.arange(1, _BANDS * _ROWS + 1, dtype=np.uint32))


def signature(text: str) -> list[tuple[int, ...]]:
    """Band keys; two texts of Jaccard similarity 0.7 share one with probability 0.96, of 0.3 with 0.09."""
    whole = folded(text)
    words = np.array([word_hash(token) for token in tokens(whole)], dtype=np.uint32)
    length = 5 if len(words) >= 12 else 3 if len(words) >= 6 else 1
    shingles = ngram_hashes(words, length, length, 7)
    if not len(shingles):
        shingles = ngram_hashes(codes(whole), 1, 1, 7)
    if not len(shingles):
        return []
    mins = finalise(shingles[None, :400] ^ _SEEDS[:, None]).min(axis=1).tolist()
    return [(band, *mins[band * _ROWS:(band + 1) * _ROWS]) for band in range(_BANDS)]


def distinct(texts: list[str]) -> list[int]:
    """Indices of the texts left when each is dropped that nearly repeats an earlier one."""
    seen: set[tuple[int, ...]] = set()
    kept = []
    for index, text in enumerate(texts):
        keys = signature(text)
        if not any(key in seen for key in keys):
            kept.append(index)
        seen.update(keys)
    return kept


def unlike(texts: list[str], others: list[str]) -> list[int]:
    """Indices of the texts that nearly repeat none of `others`."""
    seen = {key for other in others for key in signature(other)}
    return [index for index, text in enumerate(texts) if not any(key in seen for key in signature(text))]
