"""Disguises put on texts, attacks and everyday ones alike, so that a disguise alone proves nothing."""

from __future__ import annotations

import base64
import codecs
import random
from collections.abc import Callable

_LEET = str.maketrans("aeiostlAEIOSTL", "43105714310571")
_LOOKALIKE = str.maketrans("aeopcxyiAEOPCXTHKMB", "аеорсхуіАЕОРСХТНКМВ")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_NEAR = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "s": "ad", "t": "ry", "n": "bm", "r": "et", "l": "k", "g": "fh"}


def leet(text: str, dice: random.Random) -> str:
    return "".join(c.translate(_LEET) if dice.random() < 0.7 else c for c in text)


def spaced(text: str, dice: random.Random) -> str:
    joint = dice.choice([" ", ".", "-", "_"])
    return ("   " if joint == " " else " ").join(joint.join(word) for word in text.split())


def lookalikes(text: str, dice: random.Random) -> str:
    return "".join(c.translate(_LOOKALIKE) if dice.random() < 0.5 else c for c in text)


def zero_width(text: str, dice: random.Random) -> str:
    return "".join(c + (dice.choice(_ZERO_WIDTH) if dice.random() < 0.3 else "") for c in text)


def fullwidth(text: str, dice: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def mixed_case(text: str, dice: random.Random) -> str:
    return "".join(c.upper() if dice.random() < 0.5 else c.lower() for c in text)


def typos(text: str, dice: random.Random) -> str:
    out = []
    for c in text:
        roll = dice.random()
        if roll < 0.02:
            continue
        out.append(dice.choice(_NEAR[c]) if roll < 0.04 and c in _NEAR else c)
        if roll > 0.985:
            out.append(c)
    return "".join(out)


def lower(text: str, dice: random.Random) -> str:
    return text.lower().replace("'", "")


def upper(text: str, dice: random.Random) -> str:
    return text.upper()


def unpunctuated(text: str, dice: random.Random) -> str:
    return "".join(c for c in text if c.isalnum() or c.isspace())


def joined(text: str, dice: random.Random) -> str:
    return dice.choice(["", "_", "-", "."]).join(text.split())


# Disguises that a normaliser undoes, and everyday sloppiness that it does not.
DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "leet": leet, "spaced": spaced, "lookalikes": lookalikes, "zero-width": zero_width, "fullwidth": fullwidth,
    "mixed-case": mixed_case, "joined": joined,
}
SLOPPY: dict[str, Callable[[str, random.Random], str]] = {
    "typos": typos, "lower": lower, "upper": upper, "unpunctuated": unpunctuated,
}

_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz", (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
).split(), strict=True))


def encoded(text: str, dice: random.Random) -> str:
    """The text in one of the usual encodings."""
    data = text.encode("utf-8")
    return dice.choice([
        lambda: base64.b64encode(data).decode(),
        lambda: data.hex(),
        lambda: codecs.encode(text, "rot13"),
        lambda: text[::-1],
        lambda: " ".join(f"{byte:08b}" for byte in data[:60]),
        lambda: " ".join(str(byte) for byte in data[:80]),
        lambda: " ".join(_MORSE.get(c, "/") for c in text.lower()[:80]),
        lambda: base64.b32encode(data).decode(),
        lambda: "".join(f"%{byte:02x}" for byte in data),
        lambda: "".join(f"\\u{ord(c):04x}" for c in text[:80]),
    ])()
