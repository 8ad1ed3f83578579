"""Folding, tokens and hashes, exactly as `crates/classify/FORMAT.md` states them.

Everything here is over Unicode code points and 32-bit wrapping arithmetic, so that numpy and Rust agree to the bit.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

FNV_OFFSET = 0x811C9DC5
FNV_PRIME = 0x01000193

_SPACES = [(0x00, 0x20), (0x7F, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
           (0x205F, 0x205F), (0x3000, 0x3000)]
_IDEOGRAPHS = [(0x3041, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)]
_SYMBOLS = [(0x01, 0x1F), (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7F), (0xA1, 0xA9), (0xAB, 0xB4),
            (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x2000, 0x206F), (0x20A0, 0x20CF),
            (0x2100, 0x2BFF), (0x3000, 0x303F), (0xFE10, 0xFE1F), (0xFE30, 0xFE6F), (0xFF01, 0xFF0F),
            (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65), (0xFFF0, 0xFFFF), (0x1F000, 0x1FAFF),
            (0xE0000, 0xE0FFF)]


def _within(code: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= code <= high for low, high in ranges)


class _Fold(dict):
    """One code point to its folded form, worked out once and kept."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = self._of(code)
        return folded

    @staticmethod
    def _of(code: int) -> str:
        if _within(code, _SPACES):
            return " "
        if 0x30 <= code <= 0x39:
            return "0"
        lower = chr(code).lower()
        return lower if len(lower) == 1 else chr(code)


_FOLD = _Fold()
_SPACE_RUN = re.compile(" +")


def folded(text: str) -> str:
    """The text as both stages read it: spaces joined, lower case, digits as `0`."""
    return _SPACE_RUN.sub(" ", text.translate(_FOLD)).strip(" ")


def _ranges(ranges: list[tuple[int, int]]) -> str:
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


_TOKEN = re.compile(
    f"(?P<ideograph>[{_ranges(_IDEOGRAPHS)}])|(?P<symbol>[{_ranges(_SYMBOLS)}])(?P=symbol)*"
    f"|[^ {_ranges(_IDEOGRAPHS)}{_ranges(_SYMBOLS)}]+"
)


def tokens(folded_text: str) -> list[str]:
    """Words, single ideographs, and runs of one symbol cut to three, in order."""
    found = []
    for match in _TOKEN.finditer(folded_text):
        text = match.group()
        found.append(text[:3] if match.group("symbol") else text)
    return found


def symbols(folded_text: str) -> int:
    """How many code points of a folded text are symbols."""
    return sum(len(m.group()) for m in _TOKEN.finditer(folded_text) if m.group("symbol"))


def codes(text: str) -> np.ndarray:
    """The code points of a text, u32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@lru_cache(maxsize=2_000_000)
def word_hash(text: str, seed: int = FNV_OFFSET) -> int:
    """FNV-1a over code points, one step a code point."""
    value = seed
    for char in text:
        value = ((value ^ ord(char)) * FNV_PRIME) & 0xFFFFFFFF
    return value


def finalise(value: np.ndarray) -> np.ndarray:
    """murmur3's finaliser over a u32 array."""
    value = value.astype(np.uint32)
    value ^= value >> np.uint32(16)
    value *= np.uint32(0x85EBCA6B)
    value ^= value >> np.uint32(13)
    value *= np.uint32(0xC2B2AE35)
    value ^= value >> np.uint32(16)
    return value


def ngram_hashes(units: np.ndarray, shortest: int, longest: int, seed: int) -> np.ndarray:
    """Unfinalised hashes of all n-grams of `units` (u32), lengths `shortest` to `longest`."""
    found = []
    state = np.full(len(units), seed, dtype=np.uint32)
    for length in range(1, longest + 1):
        width = len(units) - length + 1
        if width <= 0:
            break
        state = (state[:width] ^ units[length - 1:]) * np.uint32(FNV_PRIME)
        if length >= shortest:
            found.append(state)
    return np.concatenate(found) if found else np.empty(0, dtype=np.uint32)
