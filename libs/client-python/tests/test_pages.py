"""What the pages show does what they say."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from support.service import ROOT, Service


def snippets() -> list[Any]:
    pages = [Path(ROOT, "libs/client-python/README.md"), *sorted(Path(ROOT, "docs/client").glob("*.md"))]
    found: list[Any] = []
    for page in pages:
        blocks = re.findall(r"^```(python|text)\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
        for index, (language, code) in enumerate(blocks):
            following = blocks[index + 1] if index + 1 < len(blocks) else ("", "")
            if language == "python":
                prints = following[1] if following[0] == "text" else None
                found.append(pytest.param(code, prints, id=f"{page.name}-{index}"))
    return found


def test_the_pages_show_python() -> None:
    assert len(snippets()) > 9


@pytest.mark.parametrize(("code", "prints"), snippets())
async def test_a_snippet_does_what_its_page_says(service: Service, code: str, prints: str | None) -> None:
    env = {
        **os.environ,
        "LEDGER_URL": service.url,
        "KAFKA_BROKER": service.brokers.split(",")[0],
        "LEDGER_TOPIC": service.topic,
    }
    command = [sys.executable, "-W", "error", "-c", code]
    run = await asyncio.create_subprocess_exec(*command, env=env, stdout=-1, stderr=-1)
    said, complained = await asyncio.wait_for(run.communicate(), 60)
    assert (run.returncode, complained.decode()) == (0, "")
    if prints is not None:
        assert said.decode() == prints
