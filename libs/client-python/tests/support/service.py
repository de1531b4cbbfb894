"""The real service, in a process of its own."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import uuid
from typing import Any

import httpx

ROOT = os.environ.get("TEST_ROOT", "")
_READY = re.compile(r"^Ledger on (http:\S+),")

DEV = {"environment": "cloud-dev"}
DEBUG = {"environment": "cloud-debug"}


def new_user() -> str:
    return f"user-{uuid.uuid4()}"


def scope_of(session: Any) -> Any:
    return session.view["scope"]


class Process:
    """A process whose output is read, line by line."""

    def __init__(self, command: list[str], env: dict[str, str | None] | None = None) -> None:
        whole = {**os.environ, **(env or {})}
        self.child = subprocess.Popen(
            command,
            env={name: value for name, value in whole.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, pattern: str | re.Pattern[str], within: float = 30.0) -> re.Match[str]:
        """The first line that matches, of those that were not waited for yet."""
        while True:
            line = self._queue.get(timeout=within)
            if line is None:
                raise AssertionError(f"it ended without {pattern}: {self.lines[-10:]}")
            found = re.search(pattern, line)
            if found:
                return found

    def kill(self) -> int:
        self.child.kill()
        return self.child.wait(20)

    def terminate(self) -> int:
        self.child.terminate()
        try:
            return self.child.wait(20)
        except subprocess.TimeoutExpired:
            return self.kill()


class Service:
    """`url` stays the same over restarts. A fresh database, unless given; no Kafka, unless asked for."""

    def __init__(self, *, kafka: bool = False, database: str | None = None) -> None:
        if "TEST_DATABASES" not in os.environ:
            raise RuntimeError("run the tests by `npm run test:python`, which starts Postgres and Kafka")
        self.database = database or httpx.post(os.environ["TEST_DATABASES"], timeout=30).text
        self.topic = f"events.{uuid.uuid4().hex[:12]}"
        self.brokers = os.environ["TEST_KAFKA_BROKERS"] if kafka else "none"
        self.port = "0"
        self.start()

    def start(self) -> None:
        env = {
            "PORT": self.port,
            "HOST": None,
            "DATABASE_URL": self.database,
            "LEDGER_MIGRATE": "at-start",
            "KAFKA_BROKERS": self.brokers,
            "LEDGER_TOPIC": self.topic,
        }
        self.process = Process(["node", "dist/apps/ledger/main.js"], env)
        self.url = self.process.wait_for(_READY)[1]
        self.port = str(httpx.URL(self.url).port)

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> None:
        self.process.terminate()
