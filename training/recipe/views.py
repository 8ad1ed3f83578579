"""A stand-in for the gateway's normaliser, for figures only: the text as given and with common disguises undone."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata

_PLAIN = str.maketrans("аеорсхуіАЕОРСХТНКМВ", "aeopcxyiAEOPCXTHKMB")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")
_SPACED = re.compile(r"\b\w(?:([ ._\-])\w)(?:\1\w){2,}\b")
_LEET = str.maketrans("4310570", "aeiostо".replace("о", "o"))
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")


def normalised(text: str) -> str:
    """NFKC, without invisible signs, with look-alikes and spaced letters undone."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    if re.search("[a-zA-Z]", plain):
        plain = plain.translate(_PLAIN)
    return _SPACED.sub(lambda m: m.group().replace(m.group(1), ""), plain)


def _decoded(text: str) -> list[str]:
    found = []
    for match in _BASE64.findall(text)[:4]:
        try:
            found.append(base64.b64decode(match + "=" * (-len(match) % 4)).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            pass
    for match in _HEX.findall(text)[:4]:
        try:
            found.append(bytes.fromhex(match).decode("utf-8"))
        except (ValueError, UnicodeDecodeError):
            pass
    return [view for view in found if sum(c.isprintable() or c.isspace() for c in view) > 0.95 * len(view)]


def views(text: str) -> list[str]:
    """The text, and whatever else a judge should read of it; at most a handful."""
    plain = normalised(text)
    leet = re.sub(r"\b\w*[a-zA-Z]\w*\b", lambda m: m.group().translate(_LEET), plain)
    rot13 = codecs.encode(plain, "rot13") if re.search(r"\b(naq|gur|vtaber|nyy|lbh)\b", plain.lower()) else plain
    return list(dict.fromkeys([text, plain, leet, rot13, *_decoded(text)]))
