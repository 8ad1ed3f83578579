"""One labelled text, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Example:
    """A text and what is known of it.

    `family` is the unit that splits keep whole; `span` (code points of `text`, start and end) is where the attack
    stands when it is only part of the text.
    """

    text: str
    source: str
    attack: bool
    family: str
    span: tuple[int, int] | None = None
    weight: float = 1.0

    def with_text(self, text: str) -> Example:
        return replace(self, text=text, span=None)
