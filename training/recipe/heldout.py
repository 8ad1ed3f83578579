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
    """All of them, everyday texts and attacks."""
    found = []
    for name, attack in (("benign", False), ("attacks", True)):
        for family, lines in sections(seeds / "heldout" / f"{name}.txt").items():
            source = "document" if family.endswith("document") else "user"
            found += [_example(line, attack, family, source) for line in lines]
    return found
