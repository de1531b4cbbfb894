"""What an answer says."""

from __future__ import annotations

import json
import re
from typing import cast

import httpx

from ..errors import LedgerProblem, UnexpectedAnswer, code_of
from ..generated.models import Problem
from .outcome import Asked, may_be_obeyed, may_be_passed_on
from .shapes import PROBLEM, Shape, fits
from .wire import parsed

_MOST_BYTES = 32 << 20
"""More than any answer of the ledger: a thousand refused renewals, each with a session, are about 6 MiB."""
_QUOTED = 120
"""How much of a page that is not ours an error quotes."""


class BodyLost(Exception):
    """The body was cut: whoever asked may ask again."""


async def read_answer(response: httpx.Response, shape: Shape | None, asked: Asked) -> object:
    """The JSON of an answer, None for 304.

    Raises LedgerProblem for a problem, UnexpectedAnswer for what is not the ledger's, and BodyLost.
    """
    status = response.status_code
    if status == 304:
        return None
    text = await _read(response)
    key, passed_on = asked.key, may_be_passed_on(asked, status)
    if text is None:
        what = f"over {_MOST_BYTES} bytes"
        raise UnexpectedAnswer(status, what, outcome_unknown=passed_on, idempotency_key=key)
    kind = response.headers.get("content-type", "none").split(";", 1)[0].strip()
    if not re.fullmatch(r"application/(problem\+)?json", kind):
        what = f"content type {kind}, {_quoted(text)}"
        raise UnexpectedAnswer(status, what, outcome_unknown=passed_on, idempotency_key=key)
    try:
        body: object = parsed(text)
    except (ValueError, RecursionError) as error:
        if response.is_success:
            raise BodyLost(f"JSON that ends too early, or is none: {_quoted(text)}") from error
        body = None
    if response.is_success and fits(body, shape):
        return body
    if not response.is_success and fits(body, PROBLEM):
        problem = cast("Problem", body)
        unknown = may_be_obeyed(asked, code_of(problem["type"]), status)
        raise LedgerProblem(problem, outcome_unknown=unknown, idempotency_key=key)
    what = f"JSON that is not the ledger's, {_quoted(text)}"
    raise UnexpectedAnswer(status, what, outcome_unknown=passed_on, idempotency_key=key)


async def _read(response: httpx.Response) -> bytes | None:
    """The body; None when it is more than any answer. Raises BodyLost."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.aiter_bytes():
            size += len(part)
            if size > _MOST_BYTES:
                return None
            parts.append(part)
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise BodyLost("the answer broke off") from error
    return b"".join(parts)


def _quoted(text: bytes) -> str:
    if not text:
        return "empty"
    start = re.sub(r"\s+", " ", text[: 4 * _QUOTED].decode(errors="replace")[:_QUOTED])
    return f"beginning with {json.dumps(start, ensure_ascii=False)}"
