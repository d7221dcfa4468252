"""Plain IPython in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kernel import ROOT
from tests.support.stopwatch import Stopwatch
from tests.support.witness import Witness, witness

pexpect = pytest.importorskip("pexpect")

PATIENCE = 60
IPYTHON = [sys.executable, "-m", "IPython", "--no-banner", "--no-confirm-exit"]
CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


@pytest.fixture
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    own = {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": python_path}
    return os.environ | own | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}


class Terminal:
    """IPython on a pseudo-terminal, its input prompt by prompt."""

    def __init__(
        self, environment: dict[str, str], *options: str, columns: int = 200, colours: str = "NoColor"
    ) -> None:
        command = [*IPYTHON, f"--colors={colours}", *options]
        size = (50, columns)
        self.child = pexpect.spawn(
            command[0], command[1:], env=environment, encoding="utf-8", timeout=PATIENCE, dimensions=size
        )
        self.number = 1
        self._prompt()

    def run(self, line: str) -> str:
        """Enter a line; returns what was on the screen until the next prompt."""
        self.enter(line)
        return self._prompt()

    def enter(self, line: str) -> None:
        self.child.send(line + "\r")

    def see(self, pattern: str) -> str:
        self.child.expect(pattern)
        return CONTROL.sub("", self.child.after)

    def interrupted(self) -> str:
        """Press Ctrl-C; returns what was on the screen until the next prompt."""
        self.child.sendintr()
        return self._prompt()

    def _prompt(self) -> str:
        self.child.expect(rf"In \[{self.number}\]:")
        self.number += 1
        return CONTROL.sub("", self.child.before)


@pytest.fixture(params=["prompt", "simple prompt"])
def terminal(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Terminal]:
    running = Terminal(environment, *(["--simple-prompt"] if request.param == "simple prompt" else []))
    yield running
    running.child.close(force=True)


def test_rows_fit_a_narrow_terminal_and_have_its_colours(
    environment: dict[str, str], server: Witness
) -> None:
    terminal = Terminal(environment, "--simple-prompt", columns=80, colours="Linux")
    try:
        terminal.run("%load_ext ipyws")
        terminal.run(f"%ws {server.url}")
        terminal.enter("%ws send " + "x" * 20 + "{{'y' * 100}}")
        terminal.child.expect(r"[^\n]*\x1b\[33m↑ text *\x1b\[0m[^\n]*…\r\n")
        assert len(CONTROL.sub("", terminal.child.after).rstrip()) == 80
    finally:
        terminal.child.close(force=True)


def test_connect_send_receive_and_exit(terminal: Terminal, server: Witness) -> None:
    terminal.run("%load_ext ipyws")
    card = terminal.run(f"%ws {server.url} --as main")
    assert "main" in card
    assert "open" in card
    rows = terminal.run("%ws send hel{{'l'}}o")
    assert len(re.findall(r"[↑↓] +text .*hello", rows)) == 2, rows
    assert "'hello'" in terminal.run("m = %ws recv") + terminal.run("print([m.data])")
    assert "pong from main" in terminal.run("%ws ping")
    assert "main" in terminal.run("%ws ls")
    error = terminal.run("%ws sned x")
    assert "did you mean send?" in error
    assert "Traceback" not in error
    terminal.enter("exit")
    terminal.child.expect(pexpect.EOF)
    assert server.wait(lambda server: bool(server.closes))
    assert server.closes[0][0] == 1001


def test_rows_of_several_connections_say_whose_they_are(terminal: Terminal, server: Witness) -> None:
    terminal.run("%load_ext ipyws")
    terminal.run(f"%ws {server.url} --as one")
    assert not re.search(r"one .*alone", terminal.run("%ws send alone").partition("\n")[2])
    terminal.run(f"%ws {server.url} --as two")
    for name in ("one", "two"):
        rows = terminal.run(f"%ws send -c {name} hello")
        assert re.search(rf"{name} .*↑ +text .*hello", rows), rows


def test_messages_that_come_later_are_printed(terminal: Terminal) -> None:
    terminal.run("%load_ext ipyws")
    terminal.run("%ws serve chaos -o server")
    terminal.run("%ws {{server.url}}")
    terminal.run('%ws send {"do": "late", "seconds": 1.5, "reply": {"arrived": true}}')
    terminal.see(r"↓ +text .*arrived")
    assert "2" in terminal.run("print(1 + 1)")


def test_a_server_of_an_earlier_input_answers(terminal: Terminal) -> None:
    terminal.run("%load_ext ipyws")
    terminal.run("import websockets, asyncio")
    terminal.run("async def echo(c): await c.send('echo:' + await c.recv()); await c.wait_closed()")
    if "..." in CONTROL.sub("", terminal.child.after):
        terminal.run("")
    terminal.run("own = await websockets.serve(echo, '127.0.0.1', 0)")
    terminal.run("port = own.sockets[0].getsockname()[1]")
    assert "open" in terminal.run("%ws ws://127.0.0.1:{{port}} --as own")
    terminal.run("%ws send hello")
    terminal.run("m = %ws recv")
    assert "['echo:hello']" in terminal.run("print([m.data])")


def test_ctrl_c_ends_a_receive_and_the_connection_stays(terminal: Terminal, server: Witness) -> None:
    terminal.run("%load_ext ipyws")
    terminal.run(f"%ws {server.url} --as main")
    terminal.enter("%ws recv --timeout 60s")
    time.sleep(1)  # the interrupt is to come while it waits
    watch = Stopwatch(terminal.child.pid)
    assert "KeyboardInterrupt" in terminal.interrupted()
    assert watch.seconds() < 2
    terminal.run("%ws send still")
    assert server.wait(lambda server: server.messages == ["still"])
    assert server.wait(lambda server: server.open == 1)


def test_a_line_given_on_the_command_line(environment: dict[str, str], server: Witness) -> None:
    code = f"%load_ext ipyws\n%ws {server.url} --as main\n%ws send hello\nm = %ws recv\nprint([m.data])"
    command = [*IPYTHON, "--simple-prompt", "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert "['hello']" in run.stdout, run.stdout + run.stderr
    assert "\x1b" not in run.stdout
    assert server.wait(lambda server: bool(server.closes))
    assert server.closes[0][0] == 1001


def test_a_piped_script(environment: dict[str, str], server: Witness) -> None:
    code = f"%load_ext ipyws\n%ws {server.url} --as main\n%ws send hello\nm = %ws recv\nprint([m.data])\n"
    run = subprocess.run(
        [*IPYTHON, "--simple-prompt"],
        env=environment,
        input=code,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "['hello']" in run.stdout, run.stdout + run.stderr
    assert server.wait(lambda server: bool(server.closes))
    assert server.closes[0][0] == 1001


def test_a_hostile_message_moves_no_cursor(environment: dict[str, str]) -> None:
    code = (
        '%load_ext ipyws\n%ws serve chaos -o server\n%ws {{server.url}}\n%ws send {"do": "hostile"}\n'
        "%ws recv -n 50\n%ws log\n"
    )
    run = subprocess.run(
        [*IPYTHON, "--simple-prompt", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "the screen is cleared" in run.stdout
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", run.stdout)
