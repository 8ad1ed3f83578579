"""Technical prose and code that every Python has: the language reference and the standard library's sources (PSF licence).

Full of the words that attacks use, in their ordinary sense: ignore, override, bypass, system, prompt, instruction.
"""

from __future__ import annotations

import pydoc_data.topics
import random
import sysconfig
from pathlib import Path

from .example import Example

_FOLDERS = ("", "asyncio", "email", "http", "json", "logging", "unittest", "urllib", "xml/dom", "concurrent/futures")


def _chunks(text: str, size: int) -> list[str]:
    """Runs of whole paragraphs of about `size` code points."""
    found, current = [], ""
    for paragraph in text.split("\n\n"):
        current = f"{current}\n\n{paragraph}" if current else paragraph
        if len(current) >= size:
            found.append(current)
            current = ""
    return found


def stdlib(dice: random.Random) -> list[Example]:
    """Passages of the language reference and of the library's sources, as documents, tool results and pasted text."""
    root = Path(sysconfig.get_path("stdlib"))
    texts = [chunk for topic in sorted(pydoc_data.topics.topics.values())
             for chunk in _chunks(topic, dice.choice([300, 800, 2000]))]
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob("*.py")):
            code = path.read_text(encoding="utf-8", errors="replace")
            texts += _chunks(code, dice.choice([200, 500, 1200, 2500]))[:12]
    chosen = dice.sample(texts, min(len(texts), 2200))
    return [Example(text, dice.choice(("document", "tool", "user")), False, "stdlib") for text in chosen]
