"""A team's own data: JSON lines of `{"text", "source", "label"}`, label `injection` or `benign`, optional `family`."""

from __future__ import annotations

import json
from pathlib import Path

from .example import Example
from .features import SOURCES


class BadLine(ValueError):
    """A line that is no example; says which and why."""


def _example(line: str, number: int, path: Path) -> Example:
    try:
        row = json.loads(line)
        text, label = row["text"], row["label"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise BadLine(f"{path}:{number}: not an object with text and label ({error!r})") from error
    source = row.get("source", "user")
    if label not in ("injection", "benign") or source not in SOURCES or not isinstance(text, str):
        raise BadLine(f"{path}:{number}: label is {label!r}, source {source!r}")
    return Example(text, source, label == "injection", str(row.get("family", f"own:{path.stem}")))


def read(path: Path) -> list[Example]:
    """All examples of a file."""
    with path.open(encoding="utf-8") as file:
        return [_example(line, number, path) for number, line in enumerate(file, 1) if line.strip()]
