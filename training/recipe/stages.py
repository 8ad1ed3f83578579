"""Both stages trained together on one set of examples, and their logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import core, graph, linear
from .example import Example
from .text import folded


@dataclass(frozen=True)
class Effort:
    """How long training goes on: steps of L-BFGS, epochs of the core (0: no core), windows a text at most."""

    steps: int = 60
    epochs: int = 3
    windows: int = 2
    penalty: float = 3e-6


@dataclass
class Stages:
    """A trained linear stage and a trained core, or none."""

    linear: linear.Linear
    core: core.Params | None

    def logits(self, examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
        """Linear and core logits, the highest over windows; zeros where there is no core."""
        texts, sources = [e.text for e in examples], [e.source for e in examples]
        deep = np.zeros(len(texts)) if self.core is None else core.logits(self.core, texts, sources)
        return self.linear.logits(texts, sources), deep

    def plain(self) -> Stages:
        """The same with numpy's arrays only."""
        params = None if self.core is None else {name: np.asarray(value) for name, value in self.core.items()}
        return Stages(self.linear, params)

    def rounded(self) -> Stages:
        """The stages with the weights that the shipped files hold."""
        return Stages(self.linear.quantised()[0], None if self.core is None else graph.rounded(self.core))


def _core_windows(examples: list[Example], most: int) -> tuple[list[np.ndarray], list[int]]:
    """Windows of ids to learn from: of an attack inside a longer text, those around it."""
    ids, owners = [], []
    for index, example in enumerate(examples):
        text = example.text
        if example.attack and example.span is not None and len(text) > 500:
            start, end = example.span
            text = text[max(0, start - 200):end + 200]
        parts = core.text_windows(text, example.source)
        if len(parts) > most:
            parts = [parts[round(at)] for at in np.linspace(0, len(parts) - 1, most)]
        ids += parts
        owners += [index] * len(parts)
    return ids, owners


def train_linear(examples: list[Example], effort: Effort) -> linear.Linear:
    """The linear stage fitted on examples."""
    usable = [example for example in examples if folded(example.text)]
    return linear.train(usable, effort.penalty, steps=effort.steps, windows=effort.windows)


def train_core(examples: list[Example], effort: Effort, seed: int) -> core.Params:
    """The core fitted on examples."""
    ids, owners = _core_windows(examples, effort.windows)
    counts = np.bincount(owners, minlength=len(examples))
    weights = linear.example_weights(examples)[owners] / np.maximum(counts[owners], 1)
    labels = np.array([examples[owner].attack for owner in owners], dtype=np.float32)
    return core.train(ids, labels * 0.98 + 0.01, weights, seed, effort.epochs)


def train(examples: list[Example], effort: Effort, seed: int) -> Stages:
    """Both stages fitted on examples; the linear one alone if the core gets no epochs."""
    core_params = train_core(examples, effort, seed) if effort.epochs else None
    return Stages(train_linear(examples, effort), core_params)
