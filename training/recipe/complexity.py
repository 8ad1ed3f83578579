"""The complexity model: does a prompt need the heavier of two models?

Labels are RouteLLM's: whether Mixtral 8x7B answered an MMLU question rightly. A prompt is `complex` if it did not.
Measured by whole subjects not trained on, against the prompt's length alone.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from . import linear
from .features import LinearShape, Table, matrix
from .text import folded

csv.field_size_limit(10**9)

SHAPE = LinearShape((Table("char", 3, 4, 1 << 16, 1), Table("word", 1, 2, 1 << 16, 2)), window=4096, stride=4096)
_PENALTY, _STEPS, _FOLDS = 3e-4, 60, 5


@dataclass(frozen=True)
class Question:
    subject: str
    prompt: str
    weak_right: bool
    strong_right: bool


@dataclass
class Comparison:
    """Area under the curve for "the weak model is wrong" on unseen subjects, with 95 % intervals over subjects."""

    model: float
    length: float
    difference: tuple[float, float]
    within_model: float
    within_length: float
    accuracy: dict[str, float]


def questions(root: Path) -> list[Question]:
    """RouteLLM's MMLU questions with who answered rightly."""
    found = []
    for path in sorted((root / "lm-sys+RouteLLM/mmlu").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                if row[1] in ("True", "False"):
                    found.append(Question(path.stem.removeprefix("mmlu_"), row[0], row[1] == "True", row[2] == "True"))
    return found


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve."""
    n = int(positive.sum())
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


def fit(rows: list[Question], everyday: list[str]) -> linear.Linear:
    """The linear stage for complexity; `everyday` are short requests that any model serves."""
    texts = [folded(row.prompt)[:SHAPE.window] for row in rows] + [folded(text)[:SHAPE.window] for text in everyday]
    labels = np.array([not row.weak_right for row in rows] + [False] * len(everyday))
    weights = np.concatenate([np.full(len(rows), 1.0 / len(rows)), np.full(len(everyday), 0.15 / max(len(everyday), 1))])
    features = matrix(texts, ["user"] * len(texts), SHAPE)
    found, bias = linear.fit(features, labels, weights / weights.sum(), np.zeros(len(texts), int), _PENALTY, _STEPS)
    return linear.Linear(SHAPE, found, np.full(4, bias[0]))


def _routed_accuracy(rows: list[Question], scores: np.ndarray, share: float) -> float:
    """Accuracy when the `share` of the questions that score highest goes to the strong model."""
    strong = scores >= np.quantile(scores, 1 - share)
    return float(np.mean([row.strong_right if to else row.weak_right for row, to in zip(rows, strong, strict=True)]))


def compare(rows: list[Question], everyday: list[str], seed: int) -> Comparison:
    """Cross-validation by subject: the model against length, both on subjects that were not trained on."""
    dice = np.random.default_rng(seed)
    subjects = np.array([row.subject for row in rows])
    names = dice.permutation(sorted(set(subjects)))
    scores = np.zeros(len(rows))
    for fold in range(_FOLDS):
        test = np.isin(subjects, names[fold::_FOLDS])
        model = fit([row for row, out in zip(rows, test, strict=True) if not out], everyday)
        held = [index for index in np.flatnonzero(test)]
        scores[held] = model.logits([rows[index].prompt[:SHAPE.window] for index in held], ["user"] * len(held))
    wrong = np.array([not row.weak_right for row in rows])
    length = np.log1p([len(row.prompt) for row in rows])
    gaps = []
    for _ in range(300):
        chosen = np.concatenate([np.flatnonzero(subjects == name) for name in dice.choice(names, len(names))])
        gaps.append(area(scores[chosen], wrong[chosen]) - area(length[chosen], wrong[chosen]))
    within = np.array([(area(scores[subjects == n], wrong[subjects == n]), area(length[subjects == n], wrong[subjects == n]))
                       for n in names])
    chance = dice.random(len(rows))
    accuracy = {"model": _routed_accuracy(rows, scores, 0.5), "length": _routed_accuracy(rows, length, 0.5),
                "random": _routed_accuracy(rows, chance, 0.5), "all weak": _routed_accuracy(rows, chance, 0.0),
                "all strong": _routed_accuracy(rows, chance, 1.0)}
    low, high = np.quantile(gaps, (0.025, 0.975))
    return Comparison(area(scores, wrong), area(length, wrong), (float(low), float(high)),
                      float(within[:, 0].mean()), float(within[:, 1].mean()), accuracy)
