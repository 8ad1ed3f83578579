"""The linear stage's features: which buckets of which tables a window of text falls into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .text import codes, finalise, folded, ngram_hashes, tokens, word_hash

SOURCES = ("user", "document", "tool", "system")


@dataclass(frozen=True)
class Table:
    """One table of hashed n-grams; `sources` empty means that it counts for all of them."""

    unit: str
    shortest: int
    longest: int
    buckets: int
    seed: int
    sources: tuple[str, ...] = ()

    def serves(self, source: str) -> bool:
        return not self.sources or source in self.sources


@dataclass(frozen=True)
class LinearShape:
    """Tables and windows of a linear stage; windows in folded code points."""

    tables: tuple[Table, ...]
    window: int
    stride: int

    @property
    def width(self) -> int:
        return sum(table.buckets for table in self.tables)


def windows(length: int, window: int, stride: int) -> list[int]:
    """Where the windows over `length` units start."""
    if length <= window:
        return [0]
    starts = list(range(0, length - window, stride))
    return starts + [length - window]


def slices(text: str, shape: LinearShape) -> list[str]:
    """The windows of a text, folded."""
    whole = folded(text)
    return [whole[at:at + shape.window] for at in windows(len(whole), shape.window, shape.stride)]


def _units(piece: str, unit: str) -> np.ndarray:
    if unit == "char":
        return codes(f" {piece} ") if piece else np.empty(0, dtype=np.uint32)
    return np.array([word_hash(token) for token in tokens(piece)], dtype=np.uint32)


def _row(piece: str, source: str, shape: LinearShape) -> tuple[np.ndarray, np.ndarray]:
    columns, values, offset = [np.empty(0, np.int32)], [np.empty(0, np.float32)], 0
    units = {}
    for table in shape.tables:
        if table.serves(source):
            if table.unit not in units:
                units[table.unit] = _units(piece, table.unit)
            hashes = ngram_hashes(units[table.unit], table.shortest, table.longest, table.seed)
            buckets = np.unique(finalise(hashes) & np.uint32(table.buckets - 1))
            columns.append(buckets.astype(np.int32) + offset)
            values.append(np.full(len(buckets), 1.0 / np.sqrt(max(len(buckets), 1)), dtype=np.float32))
        offset += table.buckets
    return np.concatenate(columns), np.concatenate(values)


def matrix(pieces: list[str], sources: list[str], shape: LinearShape) -> sparse.csr_matrix:
    """One row a window; binary counts, each table's part of Euclidean length 1."""
    rows = [_row(piece, source, shape) for piece, source in zip(pieces, sources, strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in rows])])
    if not rows:
        return sparse.csr_matrix((0, shape.width), dtype=np.float32)
    return sparse.csr_matrix(
        (np.concatenate([v for _, v in rows]), np.concatenate([c for c, _ in rows]), starts),
        shape=(len(rows), shape.width),
    )
