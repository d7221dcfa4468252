"""The page of errors against the code: what can go wrong stands there, and what stands there can go wrong."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyws import errors
from ipyws.core.connection.closing import close_meaning
from ipyws.network.handshake.hints import _BY_STATUS
from tests.support.kernel import MINUTES, ROOT

SETUP = ROOT / "tests/data/docs/troubleshooting.py"
PAGE = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
FLAT = " ".join(PAGE.split())
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
ROW = re.compile(r"^\| `((?:%ws|===|ipyws\.).*?)` \| `(.*?)` \|", re.MULTILINE)
ENOUGH = 8
"""Characters of a message that are its own."""

# Where a user's connection fails: whatever these modules raise or return as a reason is explained.
EXPLAINED = (
    "runtime/registry.py",
    "runtime/loop_thread.py",
    "capture/journal/journal.py",
    "capture/load.py",
    "config/enforcement.py",
    "core/connection/keepalive.py",
    "core/connection/receiving.py",
    "core/connection/sending.py",
    "runtime/waiting.py",
    "policy/layer.py",
    "policy/policy.py",
    "script/grammar.py",
    "network/handshake/agreement.py",
    "network/handshake/answer.py",
    "network/dialling/dial.py",
    "network/dialling/proxy.py",
    "network/handshake/status.py",
    "network/dialling/tls.py",
    "network/dialling/error_map.py",
)
# What no user meets: a resolver or a transport would have to answer nonsense.
UNSEEN = {"the address can't be read", "a name that resolves has an address"}
# Lines that come from elsewhere: of the system, of Jupyter, of asyncio.
FOREIGN = (
    "Connection timed out",
    "disk quota exceeded",
    "Error displaying widget: model not found",
    "No route to host (EHOSTUNREACH)",
    "This event loop is already running",
    "asyncio.run() cannot be called from a running event loop",
    "await client",
    "line 3: expect …",
    "import sys",
    "jupyter trust",
    "openssl pkey",
)

# Runs groups of cells; prints, as JSON, the error that ended each, or "".
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.showtraceback = lambda *args, **options: None

def run(cell):
    result = shell.run_cell(cell)
    return result.error_in_exec or result.error_before_exec

setup, groups = json.load(sys.stdin)
assert run(setup) is None
assert run("%load_ext ipyws\\nimport ipyws\\n%ws serve echo -o echo") is None
said = []
for cells in groups:
    assert run("%ws close --all\\n%ws {{echo.url}} --as echo") is None
    if "recv" in cells[0]:
        assert run("%ws send hello") is None
    said.append(str(next(filter(None, map(run, cells)), "")))
run("%unload_ext ipyws")
print("\\n" + json.dumps(said))
"""


def outcomes(groups: list[list[str]], cwd: Path) -> list[str]:
    """Run each group of cells in a shell of IPython, on a new connection to an echo server."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([SETUP.read_text("utf-8"), groups]),
        capture_output=True,
        text=True,
        timeout=MINUTES,
        check=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(cwd), "PASSWORD": "correct horse"},
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def constants(node: ast.expr) -> list[str]:
    """Return the parts of a message that stand in the code."""
    found = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return [text.strip(" ,;:'({") for text in found if isinstance(text, str)]


def messages(module: str) -> Iterator[list[str]]:
    """Yield the constant parts of each message that a module gives, of an error or as a reason."""
    for node in ast.walk(ast.parse((ROOT / "ipyws" / module).read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *rest]):
                if name.endswith("Error") or name in ("_bad", "_built_in", "_refuse"):
                    yield constants(first)
                elif name.lower() == "verdict" and isinstance(first, ast.Constant) and first.value is False:
                    yield constants(rest[0])
            case ast.Return(value=ast.Tuple(elts=[first, *_])) if module.endswith("translate.py"):
                yield constants(first)


def everything_said() -> set[str]:
    return {
        text
        for file in (ROOT / "ipyws").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.expr)
        for text in constants(node)
        if len(text) >= ENOUGH
    }


@pytest.mark.parametrize("module", [*EXPLAINED, "policy/url.py"])
def test_every_message_of_a_failing_connection_is_explained(module: str) -> None:
    told = [[part for part in parts if len(part) >= ENOUGH] for parts in messages(module)]
    unknown = [parts for parts in told if parts and not any(part in FLAT for part in parts)]
    missing = [parts for parts in unknown if not UNSEEN.intersection(parts)]
    assert told
    assert not missing


def test_every_class_and_every_phase_is_named() -> None:
    dial = "".join(
        (ROOT / f"ipyws/network/dialling/{name}.py").read_text("utf-8") for name in ("dial", "reach")
    )
    phases = set(re.findall(r'\bphase\b.*? = "(\w+)"', dial)) | {"tls", "handshake"}
    assert len(phases) == 5
    classes = {name for name in errors.__all__ if name.endswith("Error")} - {"WebSocketError"}
    assert not {name for name in phases if f"`{name}`" not in PAGE}
    assert not {name for name in classes if name not in PAGE}


def test_every_status_with_advice_and_every_close_code_is_there() -> None:
    assert not {status for status in _BY_STATUS if str(status) not in PAGE}
    # 1004 is reserved, 1015 never in a frame of a connection that was open.
    codes = {code: close_meaning(code) for code in (*range(1000, 1015), 3000, 4000) if code != 1004}
    assert not {code: words for code, words in codes.items() if words not in PAGE}


def test_every_line_that_is_quoted_is_one() -> None:
    said = everything_said()
    prose = re.sub(r"^```.*?^```|^\| `.*?$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    quoted = [" ".join(span.split()) for span in SPAN.findall(prose)]
    lines = [span for span in quoted if re.match(r"(\w+ \w+|… |'|\*\*\* )", span)]
    ours = [line for line in lines if not line.startswith(FOREIGN)]
    assert len(ours) > 50
    assert not [line for line in ours if not any(text in line for text in said)]


def test_every_row_of_bad_input_says_what_the_page_says(tmp_path: Path) -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) > 60
    cells = [f"%%ws\nhello\n{line}" if line.startswith("===") else line for line, _ in rows]
    said = outcomes([[cell] for cell in cells], tmp_path)
    assert not {row: came for row, came in zip(rows, said, strict=True) if row[1] not in came}


def test_what_stands_in_place_of_a_command_of_another_tool_runs(tmp_path: Path) -> None:
    comparison = (ROOT / "docs/comparison.md").read_text("utf-8")
    rows = re.findall(r"^\| .*(?<!\\)\| (`(?:%ws|reply).*`) \|$", comparison, re.MULTILINE)
    assert len(rows) > 15
    groups = [[re.sub(r"\bURL\b", "{{echo.url}}", cell) for cell in SPAN.findall(row)] for row in rows]
    assert not {row: came for row, came in zip(rows, outcomes(groups, tmp_path), strict=True) if came}
