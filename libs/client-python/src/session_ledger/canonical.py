"""What a request means: JSON that is the same for every text that means the same (RFC 8785)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import cast


def canonical_json(value: object) -> str:
    """Members in the order of their names' UTF-16 code units, numbers and texts as JavaScript writes them.

    Raises ValueError for what JSON has no number or no text for, TypeError for whatever else it has no form for.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair is no text
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        try:
            return _number(float(value))
        except OverflowError as error:
            raise ValueError("a whole number is too large for JSON") from error
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        for name in members:
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"a name in JSON is a text, not a {type(name).__name__}")
        names = sorted(members, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical_json(name)}:{canonical_json(members[name])}" for name in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(canonical_json(one) for one in cast("list[object]", value)) + "]"
    raise TypeError(f"a {type(value).__name__} is no JSON")


def fingerprint(value: object) -> str:
    """SHA-256 of the canonical JSON, in hex: the same for two requests that mean the same."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _number(value: float) -> str:
    """As ECMAScript writes it (ECMA-262, Number::toString)."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction.rstrip("0")) if fraction.strip("0") else whole
    point = len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
