"""The complexity model: does a prompt need the heavier of two models?

Labels are RouteLLM's: whether Mixtral 8x7B answered an MMLU question rightly. A prompt is `complex` if it did not.
Measured on whole subjects that were not trained on, against the prompt's length alone, by what a router is for: how many
questions are answered rightly when a given share of them goes to the stronger model.
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
_SHARES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Question:
    subject: str
    prompt: str
    weak_right: bool
    strong_right: bool


@dataclass
class Comparison:
    """The model against length on subjects not trained on.

    `model` and `length` are areas under the curve for "the weak model is wrong"; `gained` is the 95 % interval (over
    subjects) of the accuracy that routing by the model gains over routing by length, the mean of `_SHARES`; `accuracy` is
    that of routing half of the questions to the stronger model.
    """

    model: float
    length: float
    gained: tuple[float, float]
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


def _routed(weak: np.ndarray, strong: np.ndarray, scores: np.ndarray, share: float) -> float:
    """Accuracy when the `share` of the questions that score highest goes to the strong model."""
    return float(np.where(scores >= np.quantile(scores, 1 - share), strong, weak).mean())


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
    weak, strong = (np.array([getattr(row, name) for row in rows]) for name in ("weak_right", "strong_right"))
    length = np.log1p([len(row.prompt) for row in rows])
    gained = []
    for _ in range(300):
        at = np.concatenate([np.flatnonzero(subjects == name) for name in dice.choice(names, len(names))])
        gained.append(np.mean([_routed(weak[at], strong[at], scores[at], share)
                               - _routed(weak[at], strong[at], length[at], share) for share in _SHARES]))
    within = np.array([[area(values[subjects == name], ~weak[subjects == name]) for values in (scores, length)]
                       for name in names])
    accuracy = {"model": _routed(weak, strong, scores, 0.5), "length": _routed(weak, strong, length, 0.5),
                "random": _routed(weak, strong, dice.random(len(rows)), 0.5), "all weak": float(weak.mean()),
                "all strong": float(strong.mean())}
    low, high = np.quantile(gained, (0.025, 0.975))
    return Comparison(area(scores, ~weak), area(length, ~weak), (float(low), float(high)),
                      float(within[:, 0].mean()), float(within[:, 1].mean()), accuracy)
