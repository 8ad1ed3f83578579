"""The linear stage: weighted logistic regression over hashed n-grams by L-BFGS, and its int8 form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

from .example import Example
from .features import SOURCES, LinearShape, Table, matrix, slices
from .text import folded

SHAPE = LinearShape(
    tables=(Table("char", 3, 5, 1 << 18, 1), Table("word", 1, 3, 1 << 17, 2),
            Table("word", 1, 2, 1 << 16, 3, ("document", "tool"))),
    window=640, stride=320,
)

# Codes nearer to zero are zero: ones are a quarter of all, change no figure of the card by more than its error, and
# cost a seventh of the file where it is compressed.
LEAST = 2


@dataclass
class Linear:
    """Weights over `shape.width` buckets and a bias a source (logits)."""

    shape: LinearShape
    weights: np.ndarray
    bias: np.ndarray

    def window_logits(self, pieces: list[str], sources: list[str]) -> np.ndarray:
        bias = self.bias[[SOURCES.index(source) for source in sources]]
        return matrix(pieces, sources, self.shape) @ self.weights + bias

    def logits(self, texts: list[str], sources: list[str]) -> np.ndarray:
        """The highest logit over each text's windows."""
        pieces, owners = [], []
        for index, text in enumerate(texts):
            parts = slices(text, self.shape)
            pieces += parts
            owners += [index] * len(parts)
        best = np.full(len(texts), -np.inf)
        for start in range(0, len(pieces), 20_000):
            part = slice(start, start + 20_000)
            found = self.window_logits(pieces[part], [sources[owner] for owner in owners[part]])
            np.maximum.at(best, owners[part], found)
        return best

    def quantised(self) -> tuple[Linear, list[np.ndarray], list[float]]:
        """The same with weights as int8 times one scale a table; also the tables and scales themselves."""
        tables, scales, weights, at = [], [], [], 0
        for table in self.shape.tables:
            part = self.weights[at:at + table.buckets]
            at += table.buckets
            scale = float(np.float32(max(float(np.abs(part).max()), 1e-9) / 127))
            codes = np.clip(np.rint(part / scale), -127, 127).astype(np.int8)
            codes[np.abs(codes) < LEAST] = 0
            tables.append(codes)
            scales.append(scale)
            weights.append(codes.astype(np.float64) * scale)
        return Linear(self.shape, np.concatenate(weights), self.bias), tables, scales


def training_windows(examples: list[Example], shape: LinearShape, most: int) -> tuple[list[str], list[int]]:
    """Windows to learn from and the index of each one's example: for an attack inside a text those that hold it."""
    pieces, owners = [], []
    for index, example in enumerate(examples):
        parts = slices(example.text, shape)
        if example.attack and example.span is not None and len(parts) > 1:
            start = len(folded(example.text[:example.span[0]]))
            end = len(folded(example.text[:example.span[1]]))
            whole = len(folded(example.text))
            starts = [min(at * shape.stride, whole - shape.window) for at in range(len(parts))]
            overlap = [min(end, at + shape.window) - max(start, at) for at in starts]
            parts = [part for part, shared in zip(parts, overlap, strict=True) if shared >= 0.6 * min(end - start, shape.window)]
        if len(parts) > most:
            parts = [parts[round(at)] for at in np.linspace(0, len(parts) - 1, most)]
        pieces += parts
        owners += [index] * len(parts)
    return pieces, owners


def example_weights(examples: list[Example], power: float = 0.5, attack_share: float = 0.4) -> np.ndarray:
    """A family of n texts weighs n^power in all; all attacks together `attack_share` of the whole."""
    counts: dict[tuple[bool, str], int] = {}
    for example in examples:
        key = (example.attack, example.family)
        counts[key] = counts.get(key, 0) + 1
    weights = np.array([e.weight * counts[e.attack, e.family] ** (power - 1.0) for e in examples])
    attack = np.array([example.attack for example in examples])
    weights[attack] *= attack_share / max(weights[attack].sum(), 1e-12)
    weights[~attack] *= (1 - attack_share) / max(weights[~attack].sum(), 1e-12)
    return weights


def fit(features: sparse.csr_matrix, labels: np.ndarray, weights: np.ndarray, sources: np.ndarray,
        penalty: float, steps: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Weights and a bias a source that minimise the weighted logistic loss plus `penalty`/2 times their square."""
    width = features.shape[1]
    one_hot = np.eye(len(SOURCES))[sources]
    signs = np.where(labels, 1.0, -1.0)
    transposed = features.T.tocsr()

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        logits = features @ point[:width].astype(np.float32) + one_hot @ point[width:]
        margins = signs * logits
        value = float(weights @ np.logaddexp(0.0, -margins))
        slope = -weights * signs / (1.0 + np.exp(np.clip(margins, -50, 50)))
        gradient = np.concatenate([transposed @ slope.astype(np.float32), one_hot.T @ slope])
        gradient[:width] += penalty * point[:width]
        gradient[width:] += 0.01 * penalty * point[width:]
        return value + 0.5 * penalty * float(point[:width] @ point[:width]), gradient.astype(np.float64)

    result = optimize.minimize(loss, np.zeros(width + len(SOURCES)), jac=True, method="L-BFGS-B",
                               options={"maxiter": steps, "maxcor": 8})
    return result.x[:width], result.x[width:]


def train(examples: list[Example], penalty: float = 3e-6, shape: LinearShape = SHAPE, steps: int = 120,
          windows: int = 2) -> Linear:
    """A linear stage fitted on examples."""
    pieces, owners = training_windows(examples, shape, windows)
    per_example = np.bincount(owners, minlength=len(examples))
    weights = example_weights(examples)[owners] / np.maximum(per_example[owners], 1)
    sources = [examples[owner].source for owner in owners]
    labels = np.array([examples[owner].attack for owner in owners])
    found, bias = fit(matrix(pieces, sources, shape), labels, weights / weights.sum(),
                      np.array([SOURCES.index(source) for source in sources]), penalty, steps)
    return Linear(shape, found, bias)
