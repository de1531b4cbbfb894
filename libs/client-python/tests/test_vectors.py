"""What every language has to compute alike: docs/client-vectors.json, which the TypeScript suite reads, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from session_ledger import Realm, SessionName, SessionReference, canonical_json, fingerprint, partition_of, scope_key
from session_ledger.calls.wire import body_of, path_of

DOCS = Path(__file__).parents[3] / "docs"
VECTORS: Any = json.loads((DOCS / "client-vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("one", VECTORS["scopes"], ids=lambda one: one["key"][:30])
def test_a_scope_has_this_key_and_these_partitions(one: Any) -> None:
    key = scope_key(one["userId"], one["projectId"], one["tenant"])
    assert key == one["key"]
    assert {count: partition_of(key, int(count)) for count in one["partitions"]} == one["partitions"]


@pytest.mark.parametrize("one", json.loads((DOCS / "partition-vectors.json").read_text("utf-8")))
def test_a_scope_has_the_partition_that_kafka_gives_it(one: Any) -> None:
    key = scope_key(one["userId"], one["projectId"], one["tenant"])
    assert (key, partition_of(key)) == (one["key"], one["partition16"])


@pytest.mark.parametrize("one", VECTORS["references"], ids=lambda one: one["ledger"])
def test_a_reference_is_this_json_and_is_read_from_it(one: Any) -> None:
    parsed = SessionReference.parse(json.loads(one["json"]))
    name = SessionName(one["sessionId"].lower(), one["epoch"])
    realm = Realm(one["ledger"], one.get("tenant", "default"))
    assert (parsed.session, parsed.realm) == (name, realm)
    shown = SessionReference(name, realm, "a target").to_json()
    assert json.dumps(shown, ensure_ascii=False, separators=(",", ":")) == one["json"]


@pytest.mark.parametrize("text", VECTORS["noReferences"])
def test_this_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        SessionReference.parse(json.loads(text))


@pytest.mark.parametrize("one", VECTORS["canonical"], ids=lambda one: one["json"][:30])
def test_json_has_this_canonical_form_and_fingerprint(one: Any) -> None:
    value = json.loads(one["json"])
    assert canonical_json(value) == one["canonical"]
    assert fingerprint(value) == one["sha256"]


def test_what_json_has_no_form_for_has_no_fingerprint() -> None:
    for bad in (float("nan"), "\ud83d", {"\ud83d": 1}):
        with pytest.raises(ValueError, match=r"JSON|surrogates"):
            canonical_json(bad)
    with pytest.raises(ValueError, match="surrogates"):
        scope_key("\ud83d")


@pytest.mark.parametrize(("value", "error"), [({1: 2}, TypeError), (10**400, ValueError), ([{None: 1}], TypeError)])
def test_what_is_no_json_is_told_as_documented(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical_json(value)


@pytest.mark.parametrize("value", [None, "", ".", ".."])
def test_what_would_name_another_path_is_no_part_of_one(value: Any) -> None:
    with pytest.raises(ValueError, match="no part of a path"):
        path_of("/v1/sessions/{sessionId}", {"sessionId": value})


def test_a_name_that_is_no_text_is_not_sent_as_one() -> None:
    for body in ({1: "a"}, {"a": [{True: 1}]}):
        with pytest.raises(TypeError, match="a name in JSON"):
            body_of(body)
