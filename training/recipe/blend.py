"""Both stages as one score: how the linear and the core logits are weighed, and where the core need not run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from .evaluate import limit_at

# Shares of the core's logit that are tried.
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
# What the core must add to the recall of families not trained on to be worth its bytes and its time.
_WORTH = 0.02


@dataclass(frozen=True)
class Blend:
    """z = `linear`·x + `core`·y + `intercept` inside the gate, `slope`·x + `only_intercept` outside it (logits)."""

    linear: float
    core: float
    intercept: float
    slope: float
    only_intercept: float
    low: float
    high: float

    @property
    def has_core(self) -> bool:
        """Whether the core is worth shipping."""
        return self.core > 0.0

    def z(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        inside = (x >= self.low) & (x <= self.high)
        return np.where(inside, self.linear * x + self.core * y + self.intercept, self.slope * x + self.only_intercept)

    def score(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-np.clip(self.z(x, y), -60, 60)))


def _logistic(columns: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Non-negative slopes and an intercept (last) that minimise the weighted logistic loss."""
    signs = np.where(labels, 1.0, -1.0)
    wide = np.column_stack([columns, np.ones(len(columns))])

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (wide @ point)
        slope = -weights * signs / (1.0 + np.exp(np.clip(margins, -50, 50)))
        return float(weights @ np.logaddexp(0.0, -margins)), wide.T @ slope

    bounds = [(0.02, 3.0)] * columns.shape[1] + [(None, None)]
    return optimize.minimize(loss, np.full(wide.shape[1], 0.3), jac=True, method="L-BFGS-B", bounds=bounds).x


def _recall(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, strict: np.ndarray) -> float:
    """The attacks' weight caught where 2 % of the weight of the benign texts in `strict` are."""
    limit = limit_at(scores[strict], weights[strict], 0.02)
    return float(weights[labels & (scores >= limit)].sum() / weights[labels].sum())


def fit(x: np.ndarray, y: np.ndarray, labels: np.ndarray, weights: np.ndarray, strict: np.ndarray,
        missed: float = 0.01) -> Blend:
    """A blend from logits of texts whose families were not trained on.

    The core's share is the one that catches most where benign families that no stage knew (`strict`) are spared; a
    logistic fit over all would trade that for texts that are easy anyway. Below the gate lie at most `missed` of the
    attacks' weight; above it the linear stage is as good as sure. A core that adds too little is left out: its weight
    is 0 and its gate never opens.
    """
    share = max(_SHARES, key=lambda core: _recall((1 - core) * x + core * y, labels, weights, strict))
    slope, intercept = _logistic(x[:, None], labels, weights)
    alone = _recall(x, labels, weights, strict)
    if _recall((1 - share) * x + share * y, labels, weights, strict) < alone + _WORTH:
        return Blend(float(slope), 0.0, float(intercept), float(slope), float(intercept), np.inf, -np.inf)
    slope_of_mix, c = _logistic(((1 - share) * x + share * y)[:, None], labels, weights)
    a, b = (1 - share) * slope_of_mix, share * slope_of_mix
    order = np.argsort(x[labels])
    mass = np.cumsum(weights[labels][order]) / weights[labels].sum()
    low = float(x[labels][order][np.searchsorted(mass, missed)])
    return Blend(float(a), float(b), float(c), float(slope), float(intercept), low, float(max(x[~labels].max(), low) + 1.0))
