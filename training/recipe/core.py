"""The core stage: a small convolutional network over hashed tokens, trained with JAX.

A token is the sum of its views' embeddings; the source's embedding, first in each window, is added to every token. Two
convolutions follow, then the maximum, the mean and a learnt weighting over the tokens, and one hidden layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from .features import SOURCES, windows
from .text import FNV_OFFSET, FNV_PRIME, finalise, folded, tokens

Params = dict[str, jax.Array]


@dataclass(frozen=True)
class CoreShape:
    """Sizes of the network; `window` and `stride` in ids, the source's included in the window."""

    vocabulary: int = 16384
    width: int = 48
    channels: int = 64
    hidden: int = 48
    window: int = 128
    stride: int = 96
    buckets: tuple[int, ...] = (32, 64, 128)
    views: tuple[str, ...] = ("word", "prefix4", "suffix3")


SHAPE = CoreShape()


def _view(token: str, view: str) -> str:
    if view.startswith("prefix"):
        return token[:int(view[6:])]
    return token[-int(view[6:]):] if view.startswith("suffix") else token


def _hash(text: str, seed: int) -> int:
    value = seed
    for char in text:
        value = ((value ^ ord(char)) * FNV_PRIME) & 0xFFFFFFFF
    return value


@lru_cache(maxsize=1_000_000)
def token_ids(token: str, shape: CoreShape = SHAPE) -> tuple[int, ...]:
    """One id a view."""
    hashes = np.array([_hash(_view(token, view), FNV_OFFSET ^ j) for j, view in enumerate(shape.views)], dtype=np.uint32)
    return tuple(int(value) for value in 5 + finalise(hashes) % np.uint32(shape.vocabulary - 5))


def text_windows(text: str, source: str, shape: CoreShape = SHAPE) -> list[np.ndarray]:
    """The windows of a text, each `[T, views]` ids without padding, the source's first."""
    ids = np.array([token_ids(token, shape) for token in tokens(folded(text))], dtype=np.int64)
    ids = ids.reshape(-1, len(shape.views))
    head = np.full((1, len(shape.views)), 1 + SOURCES.index(source), dtype=np.int64)
    content = shape.window - 1
    return [np.concatenate([head, ids[at:at + content]]) for at in windows(len(ids), content, shape.stride)]


def bucket_of(length: int, shape: CoreShape = SHAPE) -> int:
    """The smallest bucket that holds `length` ids."""
    return next(size for size in shape.buckets if length <= size)


def padded(ids: np.ndarray, size: int) -> np.ndarray:
    return np.pad(ids, ((0, size - len(ids)), (0, 0)))


def initial(shape: CoreShape, seed: int) -> Params:
    keys = jax.random.split(jax.random.key(seed), 6)
    d, c, h = shape.width, shape.channels, shape.hidden
    return {
        "embedding": jax.random.normal(keys[0], (shape.vocabulary, d)) * 0.1,
        "conv1": jax.random.normal(keys[1], (3, d, c)) * (2 / (3 * d)) ** 0.5, "bias1": jnp.zeros(c),
        "conv2": jax.random.normal(keys[2], (3, c, c)) * (2 / (3 * c)) ** 0.5, "bias2": jnp.zeros(c),
        "attend": jax.random.normal(keys[3], (c, 1)) * 0.05,
        "dense": jax.random.normal(keys[4], (3 * c, h)) * (2 / (3 * c)) ** 0.5, "bias3": jnp.zeros(h),
        "out": jax.random.normal(keys[5], (h, 1)) * 0.1, "bias4": jnp.zeros(1),
    }


def _shifted(x: jax.Array, dilation: int) -> jax.Array:
    """`[B, T, C]` to `[B, T, 3C]`: each token beside its neighbours."""
    before = jnp.pad(x, ((0, 0), (dilation, 0), (0, 0)))[:, :-dilation]
    after = jnp.pad(x, ((0, 0), (0, dilation), (0, 0)))[:, dilation:]
    return jnp.concatenate([before, x, after], axis=-1)


def _conv(x: jax.Array, kernel: jax.Array, bias: jax.Array, mask: jax.Array, dilation: int) -> jax.Array:
    flat = kernel.reshape(-1, kernel.shape[-1])
    return jax.nn.relu(_shifted(x, dilation) @ flat + bias) * mask


def forward(params: Params, ids: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Logits `[B]` of ids `[B, T, views]`; a key turns dropout on."""
    mask = (ids[:, :, :1] != 0).astype(jnp.float32)
    views = params["embedding"][ids]
    if key is not None:
        key, view_key, token_key, pool_key, hidden_key = jax.random.split(key, 5)
        keep = jax.random.bernoulli(view_key, 0.9, (*ids.shape, 1))
        keep &= jax.random.bernoulli(token_key, 0.92, (*ids.shape[:2], 1, 1))
        views = views * keep.at[:, 0].set(True)
    x = views.sum(axis=2) * mask
    x = (x + x[:, :1]) * mask
    x = _conv(x, params["conv1"], params["bias1"], mask, 1)
    x = x + _conv(x, params["conv2"], params["bias2"], mask, 2)
    weight = jnp.exp(jnp.clip(x @ params["attend"], -20.0, 20.0)) * mask
    attended = (x * weight).sum(axis=1) / weight.sum(axis=1)
    pooled = jnp.concatenate([x.max(axis=1), x.sum(axis=1) / mask.sum(axis=1), attended], axis=-1)
    if key is not None:
        pooled = pooled * jax.random.bernoulli(pool_key, 0.7, pooled.shape) / 0.7
    hidden = jax.nn.relu(pooled @ params["dense"] + params["bias3"])
    if key is not None:
        hidden = hidden * jax.random.bernoulli(hidden_key, 0.8, hidden.shape) / 0.8
    return (hidden @ params["out"] + params["bias4"])[:, 0]


def _loss(params: Params, ids: jax.Array, labels: jax.Array, weights: jax.Array, key: jax.Array) -> jax.Array:
    logits = forward(params, ids, key)
    return (weights * (jax.nn.softplus(logits) - labels * logits)).sum() / weights.sum()


@partial(jax.jit, donate_argnums=(0, 1))
def _step(params: Params, state: dict, ids: jax.Array, labels: jax.Array, weights: jax.Array, rate: jax.Array,
          key: jax.Array) -> tuple[Params, dict, jax.Array]:
    """One step of AdamW."""
    value, slope = jax.value_and_grad(_loss)(params, ids, labels, weights, key)
    count = state["count"] + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], slope)
    second = jax.tree.map(lambda v, g: 0.98 * v + 0.02 * g * g, state["second"], slope)
    scale1, scale2 = 1 - 0.9 ** count, 1 - 0.98 ** count
    moved = jax.tree.map(lambda p, m, v: p - rate * ((m / scale1) / (jnp.sqrt(v / scale2) + 1e-8) + 0.01 * p),
                         params, first, second)
    return moved, {"count": count, "first": first, "second": second}, value


def train(ids: list[np.ndarray], labels: np.ndarray, weights: np.ndarray, seed: int, epochs: int,
          shape: CoreShape = SHAPE, batch: int = 128, rate: float = 2e-3) -> Params:
    """Parameters fitted on windows of ids with labels in 0..1 and weights; the same for the same seed."""
    dice = np.random.default_rng(seed)
    sizes = np.array([bucket_of(len(window), shape) for window in ids])
    params = initial(shape, seed)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = {"count": jnp.zeros(()), "first": zeros, "second": jax.tree.map(jnp.zeros_like, params)}
    plans = sum(-(-int((sizes == size).sum()) // batch) for size in shape.buckets) * epochs
    key, step = jax.random.key(seed + 1), 0
    scaled = weights / weights.mean()
    for _ in range(epochs):
        batches = []
        for size in shape.buckets:
            order = dice.permutation(np.flatnonzero(sizes == size))
            batches += [(size, order[at:at + batch]) for at in range(0, len(order), batch)]
        for index in dice.permutation(len(batches)):
            size, chosen = batches[index]
            chosen = np.resize(chosen, batch)
            part = np.stack([padded(ids[at], size) for at in chosen]).astype(np.int32)
            warm = min(1.0, (step + 1) / 200) * max(0.02, 1 - step / plans)
            key, now = jax.random.split(key)
            params, state, _ = _step(params, state, part, labels[chosen].astype(np.float32),
                                     scaled[chosen].astype(np.float32), jnp.float32(rate * warm), now)
            step += 1
    return params


_forward = jax.jit(forward)


def window_logits(params: Params, ids: list[np.ndarray], shape: CoreShape = SHAPE, batch: int = 256) -> np.ndarray:
    """One logit a window."""
    found = np.zeros(len(ids))
    sizes = np.array([bucket_of(len(window), shape) for window in ids])
    for size in shape.buckets:
        order = np.flatnonzero(sizes == size)
        for at in range(0, len(order), batch):
            chosen = order[at:at + batch]
            part = np.stack([padded(ids[i], size) for i in np.resize(chosen, batch)]).astype(np.int32)
            found[chosen] = np.asarray(_forward(params, part))[:len(chosen)]
    return found


def logits(params: Params, texts: list[str], sources: list[str], shape: CoreShape = SHAPE) -> np.ndarray:
    """The highest logit over each text's windows."""
    owners, pieces = [], []
    for index, (text, source) in enumerate(zip(texts, sources, strict=True)):
        parts = text_windows(text, source, shape)
        pieces += parts
        owners += [index] * len(parts)
    best = np.full(len(texts), -np.inf)
    np.maximum.at(best, owners, window_logits(params, pieces, shape))
    return best
