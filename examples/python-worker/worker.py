"""Follows the events of a Session Ledger over Kafka. Each event has its effect exactly once. See README.md.

    python worker.py           follows until SIGTERM or Ctrl-C
    python worker.py report    prints what it has in its database, as JSON

LEDGER_URL (http://127.0.0.1:4600), KAFKA_BROKERS (127.0.0.1:4602), LEDGER_TOPIC (session-ledger.events.v1) and
WORKER_DB (worker.db) may be set. Python 3.10 or newer.
"""

import json
import os
import signal
import sqlite3
import sys
import time

from session_ledger import FollowedEvent, FollowedTo, Gap
from session_ledger.kafka import KafkaSource
from session_ledger.sync import Follower, LedgerClient

LEDGER = os.environ.get("LEDGER_URL", "http://127.0.0.1:4600")
BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:4602")
TOPIC = os.environ.get("LEDGER_TOPIC", "session-ledger.events.v1")
DATABASE = os.environ.get("WORKER_DB", "worker.db")

TABLES = """
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tally (scope TEXT, type TEXT, events INTEGER NOT NULL, PRIMARY KEY (scope, type));
CREATE TABLE IF NOT EXISTS workspaces (scope TEXT PRIMARY KEY, session TEXT NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (scope TEXT, epoch INTEGER, PRIMARY KEY (scope, epoch));
"""


def say(line: object) -> None:
    print(line, flush=True)


class Worker:
    def __init__(self, store: sqlite3.Connection) -> None:
        self.store = store

    def take(self, events: list[FollowedEvent], to: FollowedTo) -> None:
        """Handles events of one partition. Effects and position are one transaction: both are there, or neither."""
        with self.store:
            self.store.execute("BEGIN")
            for event in events:
                self.handle(event)
            self.store.execute(
                "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence",
                (to.partition, to.sequence),
            )

    def handle(self, event: FollowedEvent) -> None:
        scope = event.document["partitionkey"]
        self.store.execute(
            "INSERT INTO tally VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET events = events + 1", (scope, event.type)
        )
        if event.session and event.session["status"] == "active":
            self.move_in(scope, event.session["sessionId"], event.session["epoch"])

    def move_in(self, scope: str, session: str, epoch: int) -> None:
        """The work: the session gets the workspace of its scope, unless somebody with a later epoch was there."""
        done = self.store.execute(
            "INSERT INTO workspaces VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET session = excluded.session, epoch = excluded.epoch WHERE epoch <= excluded.epoch",
            (scope, session, epoch),
        )
        if done.rowcount == 0:
            self.store.execute("INSERT OR IGNORE INTO refusals VALUES (?, ?)", (scope, epoch))


def report(store: sqlite3.Connection) -> str:
    names = ("positions", "tally", "workspaces", "refusals")
    return json.dumps({name: store.execute(f"SELECT * FROM {name}").fetchall() for name in names})


def main() -> None:
    # The follower has a thread of its own for what is handled; nobody else uses the database meanwhile.
    store = sqlite3.connect(DATABASE, isolation_level=None, check_same_thread=False)
    store.executescript(TABLES)
    if sys.argv[1:] == ["report"]:
        return print(report(store))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    positions = dict(store.execute("SELECT partition, sequence FROM positions"))
    with LedgerClient(LEDGER, deadline=5) as ledger:
        follower = Follower(
            ledger,
            source=KafkaSource({"bootstrap.servers": BROKERS}, TOPIC),
            start=positions,
            on_events=Worker(store).take,
            on_stopped=lambda why: say(f"somebody has to look: {why}"),
            on_trouble=lambda error: say(error if isinstance(error, Gap) else f"trying again: {error}"),
        )
        with follower:
            while not follower.positions and not follower.is_over:
                time.sleep(0.05)
            if follower.positions:
                say(f"following {len(follower.positions)} partitions")
            why = follower.done()
    sys.exit(0 if why is None else 1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
