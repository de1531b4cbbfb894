"""Follows the events of a Session Ledger over Kafka. Each event has its effect exactly once. See README.md.

    python worker.py           follows until SIGTERM or Ctrl-C
    python worker.py report    prints what it has in its database, as JSON

LEDGER_URL (http://127.0.0.1:4600), KAFKA_BROKERS (127.0.0.1:4602), LEDGER_TOPIC (session-ledger.events.v1) and
WORKER_DB (worker.db) may be set. Python 3.9 or newer.
"""

import json
import os
import signal
import sqlite3
import sys
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

LEDGER = os.environ.get("LEDGER_URL", "http://127.0.0.1:4600")
BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:4602").split(",")
TOPIC = os.environ.get("LEDGER_TOPIC", "session-ledger.events.v1")
TOKEN, TOKEN_FILE = os.environ.get("LEDGER_TOKEN"), os.environ.get("LEDGER_TOKEN_FILE")
DATABASE = os.environ.get("WORKER_DB", "worker.db")

TABLES = """
CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tally (scope TEXT, type TEXT, events INTEGER NOT NULL, PRIMARY KEY (scope, type));
CREATE TABLE IF NOT EXISTS workspaces (scope TEXT PRIMARY KEY, session TEXT NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (scope TEXT, epoch INTEGER, PRIMARY KEY (scope, epoch));
"""


def say(line):
    print(line, flush=True)


class Worker:
    def __init__(self, store):
        self.store = store

    def position(self, partition):
        """The sequence of the last event that had its effect; 0 before the first."""
        found = self.store.execute("SELECT sequence FROM positions WHERE partition = ?", (partition,)).fetchone()
        return found[0] if found else 0

    def take(self, partition, events):
        """Handles events of one partition. Effects and position are one transaction: both are there, or neither."""
        with self.store:
            self.store.execute("BEGIN")
            for event in events:
                sequence = int(event["sequence"])
                last = self.position(partition)
                if sequence > last + 1:
                    say(f"partition {partition}: {last + 1} to {sequence - 1} are missing, read from the feed")
                    for missing in read_feed(partition, last, sequence - 1):
                        self.handle(partition, missing)
                    last = sequence - 1
                if sequence > last:  # or it came again: a relay may repeat, and so does Kafka after a restart
                    self.handle(partition, event)

    def handle(self, partition, event):
        kind, scope = event["type"].split(".")[1], event["partitionkey"]
        self.store.execute(
            "INSERT INTO tally VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET events = events + 1", (scope, kind)
        )
        session = event["data"].get("session")
        if session and session["status"] == "active":
            self.move_in(scope, session["sessionId"], session["epoch"])
        self.store.execute(
            "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence",
            (partition, int(event["sequence"])),
        )

    def move_in(self, scope, session, epoch):
        """The work: the session gets the workspace of its scope, unless somebody with a later epoch was there."""
        done = self.store.execute(
            "INSERT INTO workspaces VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET session = excluded.session, epoch = excluded.epoch WHERE epoch <= excluded.epoch",
            (scope, session, epoch),
        )
        if done.rowcount == 0:
            self.store.execute("INSERT OR IGNORE INTO refusals VALUES (?, ?)", (scope, epoch))


def credential():
    """The key that the ledger is asked with: ledger-wide, with the permission audit. None where it wants none."""
    token = TOKEN
    if not token and TOKEN_FILE:
        with open(TOKEN_FILE, encoding="utf-8") as file:
            token = file.read().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def read_feed(partition, after, until):
    """A partition's events from after + 1 to until, from the ledger itself."""
    while after < until:
        query = urlencode({"partition": partition, "after": after, "limit": min(500, until - after)})
        with urlopen(Request(f"{LEDGER}/v1/feed?{query}", headers=credential()), timeout=12) as answer:
            events = json.load(answer)["events"]
        if not events or int(events[0]["sequence"]) != after + 1:
            raise RuntimeError(f"the feed lacks event {after + 1} of partition {partition}")
        yield from events
        after = int(events[-1]["sequence"])


def events_of(records):
    """The records that a relay has written; whoever else writes to the topic is passed over."""
    ours = [record for record in records if any(name == "ledger-sequence" for name, _ in record.headers)]
    return [json.loads(record.value) for record in ours]


def follow(worker):
    from kafka import KafkaConsumer, TopicPartition

    # No group and no commits: the position is stored along with the effects.
    consumer = KafkaConsumer(bootstrap_servers=BROKERS, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        partitions = consumer.partitions_for_topic(TOPIC)
        if not partitions:
            raise ConnectionError(f"there is no topic {TOPIC}")
        consumer.assign([TopicPartition(TOPIC, partition) for partition in partitions])
        for partition in partitions:
            # Event n + 1 stands at offset n or later: repetitions only push records back.
            consumer.seek(TopicPartition(TOPIC, partition), worker.position(partition))
        say(f"following {len(partitions)} partitions")
        while True:
            for at, records in consumer.poll(timeout_ms=500).items():
                worker.take(at.partition, events_of(records))
    finally:
        consumer.close()


def report(store):
    names = ("positions", "tally", "workspaces", "refusals")
    return json.dumps({name: store.execute(f"SELECT * FROM {name}").fetchall() for name in names})


def main():
    store = sqlite3.connect(DATABASE, isolation_level=None)
    store.executescript(TABLES)
    if sys.argv[1:] == ["report"]:
        return print(report(store))

    from kafka.errors import KafkaError

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            follow(Worker(store))
        except KeyboardInterrupt:
            return
        except HTTPError as error:
            if error.code < 500:
                raise  # asking again would be answered the same
            say(f"again in 2 s: {error}")
        except (KafkaError, HTTPException, OSError) as error:
            say(f"again in 2 s: {error}")
        time.sleep(2)


if __name__ == "__main__":
    main()
