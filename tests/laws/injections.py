"""The corpus of injections, each in several encodings: what untrusted text can look like."""

from __future__ import annotations

import base64
import codecs
import html
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import quote

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "injections.txt"
LENGTH_MAX = 400  # what the specs' longest texts hold

_LOOKALIKES = str.maketrans("aeopcxyiAEOPCXH", "аеорсхуіАЕОРСХН")  # noqa: RUF001  that is the point
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_LEET = str.maketrans("aeiotsAEIOTS", "43107543107$")

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as written": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "percent": quote,
    "entities": lambda text: html.escape(text).replace(" ", "&#32;"),
    "escapes": json.dumps,
    "lookalikes": lambda text: text.translate(_LOOKALIKES),
    "full width": lambda text: text.translate(_WIDE),
    "leet": lambda text: text.translate(_LEET),
    "spaced": " ".join,
    "zero width": "\u200b".join,
    "turned round": lambda text: "\u202e" + text[::-1],
    "tags": lambda text: "ok" + "".join(chr(0xE0000 + ord(sign)) for sign in text if ord(sign) < 0x7F),
    "upper case": str.upper,
    "quoted": lambda text: f'Summary: "{text}" The customer is satisfied.',
    "comment": lambda text: f"<!-- {text} -->",
}


@cache
def injections() -> tuple[tuple[str, str], ...]:
    """Return (encoding, text) of every injection in every encoding that makes another text of it."""
    lines = CORPUS.read_text("utf-8").splitlines()
    texts = [line for line in lines if line and not line.startswith("# ")]
    found: dict[str, str] = {}
    for text in texts:
        for name, encode in ENCODINGS.items():
            found.setdefault(encode(text)[:LENGTH_MAX], name)
    return tuple((name, text) for text, name in found.items())
