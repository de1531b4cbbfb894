"""The package as others install it, and the rules that its source keeps."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["pyright"]])
def test_the_source_keeps_the_rules(command: list[str]) -> None:
    run(sys.executable, "-m", *command)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(HERE))
    [built] = target.glob("*.whl")
    return built


def test_the_package_needs_httpx_alone_and_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        [metadata] = [name for name in names if name.endswith("METADATA")]
        shown = Parser().parsestr(opened.read(metadata).decode())
    needed = [one for one in shown.get_all("Requires-Dist") or [] if "extra" not in one]
    assert [one.split("<")[0].split(">")[0] for one in needed] == ["httpx"]
    assert (shown["Requires-Python"], shown["License-Expression"]) == (">=3.10", "MIT")
    assert "session_ledger/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert [name for name in names if "test" in name] == []
    assert wheel.stat().st_size < 120_000


def test_it_is_imported_without_anything_but_httpx(wheel: Path, tmp_path: Path) -> None:
    """No confluent-kafka, no typing_extensions: only the entry for Kafka asks for anything else."""
    code = (
        "import sys\n"
        "class Only:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] in ('confluent_kafka', 'typing_extensions', 'mcp', 'pydantic'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Only())\n"
        f"sys.path.insert(0, {str(wheel)!r})\n"
        "import session_ledger, session_ledger.sync\n"
        f"assert session_ledger.__file__.startswith({str(wheel)!r})\n"
        "try:\n"
        "    import session_ledger.kafka\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    code = "import httpx\n" + code  # what httpx needs itself is its own affair
    assert run(sys.executable, "-c", code).strip() == "confluent_kafka"


USER = """
from session_ledger import LedgerClient, models

async def use(ledger: LedgerClient) -> None:
    session = await ledger.start({"userId": "ada", "owner": {"environment": "here"}})
    epoch: int = await session.run(lambda guarded: guarded.epoch)
    answer = await ledger.call("rotateSession", {"params": {"sessionId": "a"}, "body": {"epoch": epoch, "reason": "b"}})
    reveal: models.Session = answer["session"]
    print(reveal["status"] == "active")
"""
WRONG = {
    "a member that does not exist": 'ledger.call("session", {"params": {"sessionID": "a"}})',
    "an operation that does not exist": 'ledger.call("sesion", {"params": {"sessionId": "a"}})',
    "a value that does not exist": 'ledger.start({"userId": "a", "owner": {"environment": "b"}, "onConflict": "x"})',
    "an option that does not exist": 'ledger.current({"userId": "a"}, timeout=3)',
    "an answer's member": 'ledger.call("stats", {"query": {}})["nothing"]',
}


def test_what_users_write_is_typed(tmp_path: Path) -> None:
    right = tmp_path / "right.py"
    right.write_text(USER)
    config = tmp_path / "pyrightconfig.json"
    config.write_text(f'{{"typeCheckingMode": "strict", "extraPaths": ["{HERE / "src"}"]}}')
    for number, wrong in enumerate(WRONG.values()):
        text = f"from session_ledger.sync import LedgerClient\n\ndef use(ledger: LedgerClient) -> None:\n    {wrong}\n"
        (tmp_path / f"wrong{number}.py").write_text(text)
    command = [sys.executable, "-m", "pyright", "--project", str(tmp_path), "--pythonpath", sys.executable]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False).stdout
    assert "right.py:" not in said, said
    for number, what in enumerate(WRONG):
        assert f"wrong{number}.py:4" in said, f"{what} is not found:\n{said}"


def test_every_module_that_the_readme_names_is_there() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    named = set(re.findall(r"session_ledger(?:\.[a-z_]+)+", readme))
    assert "session_ledger.models" in named
    for name in named:
        importlib.import_module(name)
    assert importlib.import_module("session_ledger.models").Session.__name__ == "Session"
