"""Figures: recall at fixed false positives on families not trained on, with intervals; false positives by family."""

from __future__ import annotations

import base64
import codecs
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import obfuscate, views
from .example import Example

RATES = {"0.1%": 0.001, "1%": 0.01, "5%": 0.05}

# Families that are relatives: they are left out together, so that one does not give the other away.
GROUPS: dict[str, tuple[str, ...]] = {
    "override": ("classic", "override", "deepset", "modes"),
    "jailbreak": ("persona", "jailbreaks", "fiction", "prefix", "schemes", "many_shot", "pressure", "gradual"),
    "indirect": ("indirect", "tool_plain", "bipia", "bipia-public", "exfil", "toolcall", "poison", "comment"),
    "extraction": ("extraction", "secrets", "extraction-public"),
    "form": ("fake_turn", "split", "suffix", "decode"),
    "languages": ("languages",),
}

# The groups that are left out of one training; relatives stay together.
FOLDS = (("jailbreak", "languages"), ("extraction", "form"), ("override", "indirect"))

Score = Callable[[list[Example]], np.ndarray]


@dataclass(frozen=True)
class Share:
    """A share of `count` texts with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}–{100 * self.high:.1f}]"


def share(hits: np.ndarray) -> Share:
    """The share of true values and its Wilson interval."""
    n = len(hits)
    if not n:
        return Share(float("nan"), 0.0, 1.0, 0)
    p, z = float(np.mean(hits)), 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Share(p, max(0.0, centre - reach), min(1.0, centre + reach), n)


def family_weights(families: list[str]) -> np.ndarray:
    """Weights of texts, 1 in all: a family of n weighs as √n, so that large easy ones do not set the thresholds."""
    sizes = Counter(families)
    weights = np.array([sizes[family] ** -0.5 for family in families])
    return weights / weights.sum()


def limit_at(scores: np.ndarray, weights: np.ndarray, rate: float) -> float:
    """The least score that texts of at most `rate` of the weight reach."""
    order = np.argsort(-scores, kind="stable")
    mass = np.cumsum(weights[order]) / weights.sum()
    first_too_many = min(int(np.searchsorted(mass, rate, side="right")), len(order) - 1)
    return float(np.nextafter(scores[order[first_too_many]], np.inf))


def thresholds(scores: np.ndarray, weights: np.ndarray | None = None) -> dict[str, float]:
    """The least scores that at most the named shares of benign texts, by weight, reach."""
    weights = np.ones(len(scores)) if weights is None else weights
    return {name: limit_at(scores, weights, rate) for name, rate in RATES.items()}


def by_family(examples: list[Example], scores: np.ndarray, limit: float) -> dict[str, Share]:
    """The share of each family's texts that reach `limit`."""
    families = np.array([example.family for example in examples])
    return {str(family): share(scores[families == family] >= limit) for family in dict.fromkeys(families)}


def mean_interval(hits: list[np.ndarray], seed: int, draws: int = 1000) -> Share:
    """The mean over families of their shares, with a bootstrap interval over texts within each."""
    dice = np.random.default_rng(seed)
    means = [np.mean([dice.choice(family, len(family)).mean() for family in hits]) for _ in range(draws)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Share(float(np.mean([family.mean() for family in hits])), float(low), float(high), sum(map(len, hits)))


def calibration_error(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins."""
    where = np.minimum((scores * bins).astype(int), bins - 1)
    error, total = 0.0, weights.sum()
    for at in range(bins):
        chosen = where == at
        mass = weights[chosen].sum()
        if mass:
            error += mass / total * abs(np.average(scores[chosen], weights=weights[chosen])
                                        - np.average(labels[chosen], weights=weights[chosen]))
    return float(error)


def judged(examples: list[Example], score: Score) -> np.ndarray:
    """Scores as the gateway gives them: the highest over the views of each text."""
    owners, seen = [], []
    for index, example in enumerate(examples):
        for view in views.views(example.text):
            owners.append(index)
            seen.append(example.with_text(view))
    best = np.full(len(examples), -np.inf)
    np.maximum.at(best, owners, score(seen))
    return best


def obfuscation(examples: list[Example], score: Score, limit: float, seed: int) -> dict[str, Share]:
    """Recall on attacks in each disguise, judged with views as the gateway does; `plain` is the comparison."""
    dice = random.Random(seed)
    found = {"plain": share(judged(examples, score) >= limit)}
    ways = {**obfuscate.DISGUISES, "typos": obfuscate.typos, "base64": _base64, "hex": _hex, "rot13": _rot13}
    for name, change in ways.items():
        disguised = [example.with_text(change(example.text, dice)) for example in examples]
        found[name] = share(judged(disguised, score) >= limit)
    return found


def _base64(text: str, dice: random.Random) -> str:
    return base64.b64encode(text.encode()).decode()


def _hex(text: str, dice: random.Random) -> str:
    return text.encode().hex()


def _rot13(text: str, dice: random.Random) -> str:
    return codecs.encode(text, "rot13")
