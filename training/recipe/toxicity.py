"""Whether a toxicity model learnt from tweets says anything about prompts. It does not, so none is shipped.

Trained on the tweets of t-davidson/hate-speech-and-offensive-language, tested on tweets left out and on requests: hateful
or harassing ones of StrongREJECT and HarmBench against everyday ones. Areas under the ROC curve; 0.5 is chance.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import linear, public
from .complexity import SHAPE, area
from .features import matrix
from .text import folded

_TRAIN, _TEST = 9000, 3000


@dataclass(frozen=True)
class Transfer:
    """Areas under the curve on tweets left out, and on requests against each kind of everyday text."""

    tweets: float
    requests: dict[str, float]


def _tweets(root: Path) -> list[tuple[str, bool]]:
    path = root / "t-davidson+hate-speech-and-offensive-language/data/labeled_data.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["tweet"], row["class"] != "2") for row in csv.DictReader(file)]


def _hateful(root: Path) -> list[str]:
    """Requests for hate and harassment."""
    with (root / "filyp+ai-discomfort/data/strongreject.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["prompt"] for row in csv.DictReader(file) if row["category"].startswith("Hate")]
    path = root / "busycalibrating+AdversariaLLM/data/behavior_datasets/harmbench_behaviors_text_all.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return texts + [row["Behavior"] for row in csv.DictReader(file) if row["SemanticCategory"] == "harassment_bullying"]


def transfer(root: Path, seed: int) -> Transfer:
    """Trains on tweets and measures there and elsewhere."""
    rows = _tweets(root)
    random.Random(seed).shuffle(rows)
    train, test = rows[:_TRAIN], rows[_TRAIN:_TRAIN + _TEST]

    def features(texts: list[str]):
        return matrix([folded(text)[:SHAPE.window] for text in texts], ["user"] * len(texts), SHAPE)

    labels = np.array([toxic for _, toxic in train])
    weights = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    found, _ = linear.fit(features([text for text, _ in train]), labels, weights, np.zeros(len(train), int), 1e-5, 60)
    hateful = features(_hateful(root)) @ found
    everyday = {name: public.texts(root, name)[:600] for name in ("clinc", "roleplay", "user-oriented", "mt-bench")}
    elsewhere = {}
    for name, texts in everyday.items():
        scores = np.concatenate([hateful, features(texts) @ found])
        elsewhere[name] = area(scores, np.arange(len(scores)) < len(hateful))
    return Transfer(area(features([t for t, _ in test]) @ found, np.array([toxic for _, toxic in test])), elsewhere)
