"""Small combinatorial grammars: `{slot}` is another rule, `[a|b]` a choice, a backslash takes the next sign as it is.

A file holds sections, `== name`, of one alternative a line; lines that open with `# ` are comments. Brackets without a
bar, and braces that name no rule, are ordinary text, so that JSON and Markdown need no escapes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path

_ESCAPES = {"n": "\n", "t": "\t"}
_SLOT = re.compile(r"\{([a-z_]+)\}")
_DEPTH = 24


def sections(path: Path) -> dict[str, list[str]]:
    """The sections of one grammar file."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            current = found.setdefault(line[3:].strip(), [])
        elif line and not line.startswith("# "):
            current.append(line)
    return found


def _choice_end(text: str, start: int) -> tuple[int, list[str]]:
    """The end of the bracket that opens at `start` and its top-level alternatives; -1 if it never closes."""
    depth, parts, part_start, at = 0, [], start + 1, start
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 1
        elif sign == "[":
            depth += 1
        elif sign == "|" and depth == 1:
            parts.append(text[part_start:at])
            part_start = at + 1
        elif sign == "]":
            depth -= 1
            if depth == 0:
                parts.append(text[part_start:at])
                return at, parts
        at += 1
    return -1, []


class Grammar:
    """Rules by name, and texts drawn from them."""

    def __init__(self, rules: Mapping[str, list[str]], literals: Mapping[str, list[str]] | None = None) -> None:
        self.rules = dict(rules)
        self.literals = dict(literals or {})

    def draw(self, name: str, dice: random.Random) -> str:
        """One text of rule `name`."""
        return self._of_rule(name, dice, 0)

    def expand(self, template: str, dice: random.Random) -> str:
        """One text of a template."""
        return self._expand(template, dice, 0)

    def _of_rule(self, name: str, dice: random.Random, depth: int) -> str:
        literal = self.literals.get(name)
        rule = self.rules.get(name, [])
        if literal and (not rule or dice.random() < 0.7):
            return dice.choice(literal)
        if depth > _DEPTH:
            return ""
        return self._expand(dice.choice(rule), dice, depth + 1)

    def _expand(self, text: str, dice: random.Random, depth: int) -> str:
        out, at = [], 0
        while at < len(text):
            sign = text[at]
            if sign == "\\" and at + 1 < len(text):
                out.append(_ESCAPES.get(text[at + 1], text[at + 1]))
                at += 2
                continue
            if sign == "[":
                end, parts = _choice_end(text, at)
                if end > 0:
                    chosen = dice.choice(parts)
                    inner = self._expand(chosen, dice, depth)
                    out.append(inner if len(parts) > 1 else f"[{inner}]")
                    at = end + 1
                    continue
            if sign == "{":
                slot = _SLOT.match(text, at)
                if slot and (slot.group(1) in self.rules or slot.group(1) in self.literals):
                    out.append(self._of_rule(slot.group(1), dice, depth + 1))
                    at = slot.end()
                    continue
            out.append(sign)
            at += 1
        return "".join(out)


def load(seeds: Path, literals: Mapping[str, list[str]]) -> Grammar:
    """All rules under `seeds`; a section of `attacks/` or `benign/` is also known as `attacks:name`, `benign:name`."""
    rules: dict[str, list[str]] = {}
    for folder in ("slots", "attacks", "benign"):
        for path in sorted((seeds / folder).glob("*.txt")):
            for name, lines in sections(path).items():
                rules.setdefault(name, []).extend(lines)
                if folder != "slots":
                    rules.setdefault(f"{folder}:{name}", []).extend(lines)
    return Grammar(rules, literals)
