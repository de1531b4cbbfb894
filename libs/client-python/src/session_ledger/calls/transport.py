"""Asks the ledger, again where that is safe."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import httpx

from ..errors import ClientBusy, ClientForked, CredentialError, LedgerError, LedgerProblem, NoAnswer, UnexpectedAnswer
from ..generated.calls import ROUTES
from .among import Among, Gatherings
from .answer import BodyLost, Raw, judged, read_answer, read_whole, retry_after, seconds_in
from .clock import now
from .credentials import Credentials, Headers, Token
from .gathering import Gathered, Progress
from .options import CallOptions
from .outcome import Asked, is_one_command
from .shapes import Shape, shape_of
from .waiting import backoff, timeout
from .wire import body_of, path_of, query_of

_MOST_ATTEMPTS = 20
_LEAST_ATTEMPT = 0.1
"""An attempt for which the deadline leaves less is not begun: it would only hide what the last one ran into."""
_AGAIN = {408, 429, 502, 503, 504}
_KEY = re.compile(r"[\x20-\x7e]{1,256}")


@dataclass(frozen=True)
class TransportOptions:
    """How a ledger is reached."""

    url: str
    token: Token | None = field(default=None, repr=False)
    headers: Headers | None = field(default=None, repr=False)
    deadline: float = 30.0
    attempt: float = 12.0
    max_calls: int = 1_000
    verify: ssl.SSLContext | bool = True
    transport: httpx.AsyncBaseTransport | None = None
    gather: bool = True


@dataclass(frozen=True)
class Answered:
    """An answer and what is known about its call."""

    body: Any
    sent_at: float
    """When the first attempt was about to be sent, by `now()`: whatever the ledger did came later."""
    is_old: bool
    """The ledger repeats what it answered to this key in an earlier call: the effect may be old."""


@dataclass(frozen=True)
class _Attempt:
    method: str
    url: str
    content: bytes | None
    headers: Mapping[str, str]
    shape: Shape | None
    asked: Asked
    is_wait: bool
    among: Among | None


class _Failed(Exception):
    """An attempt has come to nothing: why, and how far it came."""

    def __init__(self, cause: Exception, progress: Progress) -> None:
        super().__init__("the attempt came to nothing")
        self.cause = cause
        self.progress = progress


class Transport:
    """One ledger over HTTP. A command carries one Idempotency-Key through all of its attempts.

    It is repeated when nobody answered, and after 408, 429, 502, 503 and 504.
    """

    def __init__(self, options: TransportOptions) -> None:
        url = httpx.URL(options.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"a ledger has an address of HTTP, not {options.url!r}")
        self.url = f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}"
        self._options = options
        self._credentials = Credentials(options.token, options.headers)
        self._calls = 0
        self._pid = os.getpid()
        # Waits hold a connection each: beside the rest, every call would look through all of them.
        self._calling: httpx.AsyncBaseTransport | None = options.transport
        self._waiting: httpx.AsyncBaseTransport | None = options.transport
        self._gatherings = Gatherings(self._ask_many) if options.gather else None

    @property
    def deadline(self) -> float:
        """Seconds for a call that says nothing else."""
        return self._options.deadline

    @property
    def is_here(self) -> bool:
        """Whether it belongs to this process, and not to the parent that forked it."""
        return os.getpid() == self._pid

    def check_process(self) -> None:
        """Raises ClientForked in a child of the process that made this."""
        if not self.is_here:
            raise ClientForked

    async def call(
        self, operation: str, request: Mapping[str, Any], how: CallOptions, may_repeat: bool | None = None
    ) -> Answered:
        """Any operation but the streams. `may_repeat`: an earlier call may have used the same key."""
        self.check_process()
        query = cast("Mapping[str, object]", request.get("query", {}))
        is_wait = operation == "currentSession" and query.get("wait") is not None
        if self._calls >= self._options.max_calls and not is_wait:
            raise ClientBusy(f"{self._calls} calls are under way")
        doubtful = "idempotency_key" in how if may_repeat is None else may_repeat
        attempt = self._attempt_of(operation, request, how, doubtful, is_wait)
        self._calls += 0 if is_wait else 1
        try:
            return await self._repeat(attempt, how)
        finally:
            self._calls -= 0 if is_wait else 1

    async def open(
        self, operation: str, query: Mapping[str, object], last_event_id: str | None = None
    ) -> httpx.Response:
        """Opens a stream: one attempt, whose time is for the head of the answer only. The caller closes it."""
        self.check_process()
        headers = {} if last_event_id is None else {"last-event-id": last_event_id}
        url = self.url + ROUTES[operation].path + query_of(query)
        async with timeout(self._options.attempt):
            shown = {**await self._credentials.headers(), **headers}
            response = await self._send(httpx.Request("GET", url, headers=shown), is_wait=True)
            kind = response.headers.get("content-type", "")
            if response.is_success and re.match(r"text/event-stream|application/x-ndjson", kind):
                return response
            try:
                read_answer(await read_whole(response), None, Asked(None, False, False))
            finally:
                await response.aclose()
        what = f"content type {kind} in place of a stream"
        raise UnexpectedAnswer(response.status_code, what, outcome_unknown=False)

    async def close(self) -> None:
        """Closes what is connected. A child of the process leaves its parent's connections alone."""
        both, self._calling, self._waiting = {self._calling, self._waiting}, None, None
        if not self.is_here:
            return
        for one in both:
            if one is not None:
                await one.aclose()

    async def _send(self, request: httpx.Request, *, is_wait: bool) -> httpx.Response:
        """By httpx's transport itself: its client would write the address into the log, and session ids stand there.

        Each attempt has a timeout of its own, over all of it, so there are none of httpx's.
        """
        way = self._waiting if is_wait else self._calling
        if way is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            way = httpx.AsyncHTTPTransport(verify=self._options.verify, limits=limits)
            if is_wait:
                self._waiting = way
            else:
                self._calling = way
        return await way.handle_async_request(request)

    def _attempt_of(
        self, operation: str, request: Mapping[str, Any], how: CallOptions, doubtful: bool, is_wait: bool
    ) -> _Attempt:
        route = ROUTES[operation]
        query = cast("Mapping[str, object]", request.get("query", {}))
        key = how.get("idempotency_key")
        if key is not None and not _KEY.fullmatch(key):
            raise ValueError("an idempotency key is 1 to 256 characters of ASCII")
        key = None if route.reads else key or str(uuid4())
        has_body = route.method in ("POST", "PATCH")
        headers = {"content-type": "application/json"} if has_body else {}
        if key is not None:
            headers["idempotency-key"] = key
        content = body_of(request.get("body", {})) if has_body else None
        return _Attempt(
            method=route.method,
            url=self.url + path_of(route.path, request.get("params", {})) + query_of(query),
            content=content,
            headers=headers,
            shape=shape_of(operation, query),
            asked=Asked(key, is_one_command(operation), doubtful),
            is_wait=is_wait,
            among=self._gatherings and self._gatherings.among(operation, request, content or b"", key),
        )

    async def _repeat(self, attempt: _Attempt, how: CallOptions) -> Answered:
        sent_at = now()
        until = sent_at + how.get("deadline", self._options.deadline)
        most = how.get("attempt", self._options.attempt)
        attempts = 0
        while True:
            attempts += 1
            try:
                body, is_replayed = await self._once(attempt, max(0.001, min(most, until - now())))
                return Answered(body, sent_at, is_replayed and "idempotency_key" in how)
            except _Failed as failed:
                error, again = _failure_of(failed, attempts, attempt.asked)
                if error.outcome_unknown:
                    attempt = replace(attempt, asked=replace(attempt.asked, doubtful=True))
                pause = failed.progress.retry_after + backoff(attempts)
                is_too_late = now() + pause + _LEAST_ATTEMPT >= until
                if not again or attempts >= _MOST_ATTEMPTS or is_too_late:
                    raise error from error.__cause__
            await asyncio.sleep(pause)

    async def _once(self, attempt: _Attempt, seconds: float) -> tuple[object, bool]:
        progress = Progress()
        try:
            async with timeout(seconds):
                if attempt.among is None:
                    return await self._alone(attempt, progress)
                return await self._gathered(attempt, attempt.among, progress)
        except _Failed:
            raise
        except Exception as error:
            if isinstance(error, TimeoutError | asyncio.TimeoutError):
                error = TimeoutError(f"no answer within {seconds:.3g} s")
            raise _Failed(error, progress) from None

    async def _alone(self, attempt: _Attempt, progress: Progress) -> tuple[object, bool]:
        raw, headers = await self._fetch(attempt, [progress])
        body = read_answer(raw, attempt.shape, attempt.asked)
        return body, headers.get("idempotency-replayed") == "true"

    async def _gathered(self, attempt: _Attempt, among: Among, progress: Progress) -> tuple[object, bool]:
        call = Gathered(among.json, among.order, progress)
        try:
            got = await among.gathering.ask(call)
            if got is None:
                return await self._alone(attempt, progress)
        finally:
            among.gathering.done(call)
        if isinstance(got, Exception):
            raise _Failed(got, progress)  # all of them have run into the same: it is not raised itself
        if isinstance(got, Raw):
            return read_answer(got, attempt.shape, attempt.asked), False
        progress.status = status = cast("int", got["status"])
        progress.retry_after = seconds_in(str(got.get("retryAfter", "")))
        body = among.body_of(got) if status in (200, 201) else got
        answer = judged(status, body, attempt.shape, attempt.asked, lambda: json.dumps(got).encode())
        return answer, got.get("replayed") is True

    async def _ask_many(self, operation: str, content: bytes, calls: Sequence[Gathered]) -> Raw:
        route = ROUTES[operation]
        attempt = _Attempt(
            method=route.method,
            url=self.url + route.path,
            content=content,
            headers={"content-type": "application/json"},
            shape=None,
            asked=Asked(None, False, False),
            is_wait=False,
            among=None,
        )
        return (await self._fetch(attempt, [one.progress for one in calls]))[0]

    async def _fetch(self, attempt: _Attempt, all_progress: Sequence[Progress]) -> tuple[Raw, httpx.Headers]:
        """One request, for so many calls."""
        headers = {**await self._credentials.headers(), **attempt.headers}
        request = httpx.Request(attempt.method, attempt.url, content=attempt.content, headers=headers)
        for one in all_progress:
            one.is_sent = True
        response = await self._send(request, is_wait=attempt.is_wait)
        try:
            after = retry_after(response)
            for one in all_progress:
                one.status, one.retry_after = response.status_code, after
            return await read_whole(response), response.headers
        finally:
            await response.aclose()


def _failure_of(failed: _Failed, attempts: int, asked: Asked) -> tuple[LedgerError, bool]:
    """What to raise, unless the call goes on, and whether another attempt may help."""
    cause = failed.cause
    unknown = asked.key is not None and (asked.doubtful or failed.progress.is_sent)
    if isinstance(cause, BodyLost):
        lost = UnexpectedAnswer(failed.progress.status, str(cause), outcome_unknown=unknown, idempotency_key=asked.key)
        lost.__cause__ = cause.__cause__
        return lost, True
    if isinstance(cause, LedgerProblem | UnexpectedAnswer):
        return cause, cause.status in _AGAIN
    if isinstance(cause, CredentialError):
        return CredentialError(str(cause), outcome_unknown=unknown, idempotency_key=asked.key), False
    none = NoAnswer(attempts, outcome_unknown=unknown, idempotency_key=asked.key)
    none.__cause__ = cause
    return none, True
