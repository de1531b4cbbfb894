"""What every client has to do: test/client/cases.json, which the TypeScript suite runs, too."""

from __future__ import annotations

import asyncio
import json
import os
import re
import uuid
from inspect import isawaitable
from typing import Any

import pytest
from support.service import DEBUG, DEV, ROOT, Service, new_user

from session_ledger import LedgerClient, LedgerProblem, NotHeld, OwnedSession, sync


def cases() -> list[Any]:
    with open(os.path.join(ROOT, "test/client/cases.json"), encoding="utf-8") as opened:
        return json.load(opened)


async def settled(result: Any) -> Any:
    return await result if isawaitable(result) else result


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def filled(value: Any, saved: dict[str, Any]) -> Any:
    """Each `$name` and `$name.member` replaced by what it stands for."""
    if isinstance(value, str) and value.startswith("$"):
        found: Any = saved
        for name in value[1:].split("."):
            found = found[name] if isinstance(found, dict) else getattr(found, snake(name))
        return found
    if isinstance(value, list):
        return [filled(one, saved) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, saved) for name, one in value.items()}
    return value


def shown(answer: Any) -> Any:
    if not isinstance(answer, OwnedSession | sync.OwnedSession):
        return answer
    return {"sessionId": answer.session_id, "epoch": answer.epoch, "state": answer.state, "view": answer.view}


def assert_has(found: Any, wanted: Any, where: str) -> None:
    if isinstance(wanted, dict):
        for name, one in wanted.items():
            inner = found.get(name) if isinstance(found, dict) else getattr(found, snake(name))
            assert_has(inner, one, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(found, list) and len(found) == len(wanted), where
        for index, one in enumerate(wanted):
            assert_has(found[index], one, f"{where}[{index}]")
    else:
        assert found == wanted, where


async def perform(by: Any, step: dict[str, Any]) -> Any:
    do, body = step["do"], step.get("with")
    if do == "wait":
        return await asyncio.sleep(step["seconds"])
    if isinstance(by, OwnedSession | sync.OwnedSession):
        if do == "lost":
            if isinstance(by, OwnedSession):
                await asyncio.wait_for(by.signal.wait(), 10)
            else:
                assert by.signal.wait_blocking(10)
            return by.loss
        if do == "run":
            return await settled(by.run(lambda guarded: {"epoch": guarded.epoch}))
        given = [one for one in (step.get("id"), body) if one is not None]
        return await settled(getattr(by, snake(do))(*given))
    if do == "call":
        how = {"idempotency_key": step["key"]} if "key" in step else {}
        return await settled(by.call(step["id"], body, **how))
    if do == "history":
        history = by.history(body)
        events = list(history) if hasattr(history, "__next__") else [event async for event in history]
        return [event["type"].split(".")[1] for event in events]
    given = [one for one in (step.get("id"), body) if one is not None]
    return await settled(getattr(by, do)(*given))


async def run_case(steps: list[dict[str, Any]], one: Any, two: Any) -> None:
    saved: dict[str, Any] = {"one": one, "two": two, "user": new_user(), "key": str(uuid.uuid4())}
    saved |= {"dev": DEV, "debug": DEBUG}
    for number, raw in enumerate(steps):
        step = filled(raw, saved)
        where = f"step {number}, {step['do']}"
        work = perform(saved.get(step.get("by", "")), step)
        if "refused" in step:
            with pytest.raises(LedgerProblem) as refused:
                await work
            error = refused.value
            assert [error.status, error.code, (error.current or {}).get("sessionId")] == step["refused"], where
        elif "notHeld" in step:
            with pytest.raises(NotHeld) as not_held:
                await work
            assert not_held.value.why == step["notHeld"], where
        else:
            answer = await work
            if "as" in step:
                saved[step["as"]] = answer
            if "expect" in step:
                assert_has(shown(answer), step["expect"], where)


names = pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])


@names
async def test_with_asyncio(service: Service, case: Any) -> None:
    async with LedgerClient(service.url) as one, LedgerClient(service.url) as two:
        await run_case(case["steps"], one, two)


@names
async def test_with_threads(service: Service, case: Any) -> None:
    with sync.LedgerClient(service.url) as one, sync.LedgerClient(service.url) as two:
        await run_case(case["steps"], one, two)
