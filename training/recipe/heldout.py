"""The hand-written texts for the figures. They are never trained on, nor used to choose thresholds."""

from __future__ import annotations

from pathlib import Path

from .example import Example
from .features import SOURCES
from .grammar import sections


def _example(line: str, attack: bool, family: str, source: str) -> Example:
    for name in SOURCES:
        if line.startswith(f"@{name} "):
            source, line = name, line[len(name) + 2:]
    return Example(line.replace("\\n", "\n"), source, attack, family)


def heldout(seeds: Path) -> list[Example]:
    """Those that were written first, everyday texts and attacks."""
    return _read(seeds, "benign", attack=False) + _read(seeds, "attacks", attack=True)


def field(seeds: Path) -> list[Example]:
    """Those in the manner of public benchmarks, everyday texts and attacks."""
    return _read(seeds, "field-benign", attack=False) + _read(seeds, "field-attacks", attack=True)


def _read(seeds: Path, name: str, *, attack: bool) -> list[Example]:
    return [_example(line, attack, family, "document" if family.endswith("document") else "user")
            for family, lines in sections(seeds / "heldout" / f"{name}.txt").items() for line in lines]
