"""The tests run against the real service: `npm run test:python` starts what it needs."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Iterator
from typing import Any

import pytest
from support.service import Service


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine has an event loop of its own, and 4 minutes."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 240))
    return True


@pytest.fixture(scope="session", autouse=True)
def _no_tokens_of_this_shell() -> None:
    for name in ("LEDGER_TOKEN", "LEDGER_TOKEN_FILE"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One ledger for all tests that do not disturb it."""
    started = Service(kafka=True)
    yield started
    started.stop()


@pytest.fixture
def own_service() -> Iterator[Service]:
    """A ledger for one test, to be killed and restarted."""
    started = Service()
    yield started
    started.stop()
