"""A real Jupyter kernel for tests: send requests, see every reply and every output, wait with deadlines."""

from __future__ import annotations

import os
import queue
import re
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from traitlets.config import Config

from tests.support.warm import warm

ROOT = Path(__file__).parent.parent.parent
START_TIMEOUT = 60.0
SOON = 60.0
"""Seconds that anything but a dead kernel may take on a busy machine."""
MINUTES = 250.0
"""Seconds that a whole program may take there: a build, an installation, a run of somebody's tests."""
# Over TCP Jupyter picks a kernel's ports before it binds them: what runs beside it may take one meanwhile.
TRANSPORT = "tcp" if sys.platform == "win32" else "ipc"
Message = dict[str, Any]

ENDED = r"IPKernelApp|ipykernel|jupyter_client|zmq|^Traceback|^ {4}"
"""What ipykernel writes where it is shut down during a cell: its reply finds the socket closed."""
_STALLED = re.compile(r"IOStream\.flush timed out")
_STALL = 5.0
"""Seconds; ipykernel complains of its own thread after ten."""
_ON_TCP = re.compile("WARNING . Kernel is running over TCP without encryption")


def notebook_client(notebook: Any, folder: Path | str, **options: Any) -> NotebookClient:
    """Return what runs a notebook in a folder, with a kernel that takes no ports."""
    settings = {"transport": TRANSPORT}
    if TRANSPORT == "ipc":
        settings["ip"] = os.path.join(jupyter_runtime_dir(), f"kernel-{uuid.uuid4().hex[:12]}")
    config, resources = Config({"KernelManager": settings}), {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, config=config, resources=resources, **options)
    warm(client.create_kernel_manager())
    return client


def repository_importable() -> dict[str, str]:
    """Return variables for a Python that shall find the repository, whatever its folder."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@dataclass
class Result:
    """What came of one request; ``answered`` is when its reply arrived, in seconds of `time.monotonic`."""

    status: str
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = field(default_factory=list)
    stdout: str = ""
    stderr: str = ""
    displays: list[Message] = field(default_factory=list)
    """Contents of execute_result, display_data and update_display_data, in order."""
    reply: Message = field(default_factory=dict)
    answered: float = 0.0


class Kernel:
    """Context manager: a kernel of this Python, in folders of its own, with the repository importable.

    At its end it fails where the kernel wrote anything to stderr, in a cell or beside one: the traceback of a
    forgotten task, a warning of the loop.

    Args:
        env: Variables of its environment.
        cwd: Where it runs.
        complains: A regular expression for the lines that are allowed on stderr.
        plain: Whether it is started all by itself, and not from a `tests.support.warm` process: for what is
            measured of a process, and for a kernel that is interrupted or restarted at any moment.
    """

    def __init__(
        self,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        complains: str = "(?!)",
        plain: bool = False,
    ) -> None:
        self._plain = plain
        self._complains = re.compile(complains)
        self._home = tempfile.TemporaryDirectory(prefix="ipyws-kernel-", ignore_cleanup_errors=True)
        self.home = Path(self._home.name)
        self._env = self._environment() | (env or {})
        self._cwd = cwd or self.home
        self._changed = threading.Condition()
        self._replies: dict[str, tuple[float, Message]] = {}
        self._stopping = threading.Event()
        self._stood_still = 0.0  # the longest that a thread here got no turn: the machine's fault
        self.iopub: list[Message] = []
        """Everything that the kernel published, in order."""

    def __enter__(self) -> Kernel:
        self._manager = KernelManager(
            kernel_name="python3", connection_file=str(self.home / "kernel.json"), transport=TRANSPORT
        )
        spec = self._manager.kernel_spec
        assert spec is not None
        spec.argv[0] = sys.executable
        if not self._plain:
            warm(self._manager)
        self._stderr = (self.home / "stderr").open("ab")  # what `forget` cuts off is written from its start
        self._manager.start_kernel(env=self._env, cwd=str(self._cwd), stderr=self._stderr)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=START_TIMEOUT)
        except BaseException:
            self.shutdown(now=True)
            raise
        self._readers = [
            threading.Thread(target=self._read, args=(channel,), daemon=True)
            for channel in ("shell", "control", "iopub")
        ]
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        complaints = self.complaints()
        self.shutdown(now=True)
        if error is None:
            self._assert_none(complaints)

    def forget(self) -> None:
        """Forget what came so far, for the next test; fails where the kernel wrote to stderr."""
        complaints = self.complaints()
        with self._changed:
            self.iopub.clear()
            self._replies.clear()
        (self.home / "stderr").write_bytes(b"")
        self._assert_none(complaints)

    def _assert_none(self, complaints: list[str]) -> None:
        still = f"(no turn here for {self._stood_still:.1f} s at most)"
        assert not complaints, "\n".join([f"the kernel wrote to stderr {still}:", *complaints])

    def complaints(self) -> list[str]:
        """Return the lines on the kernel's stderr, of its cells and of its process, that are not allowed."""
        streams = (message["content"] for message in list(self.iopub) if message["msg_type"] == "stream")
        texts = [content["text"] for content in streams if content["name"] == "stderr"]
        if (self.home / "stderr").exists():
            texts.append((self.home / "stderr").read_text("utf-8", "replace"))
        lines = (line for text in texts for line in text.splitlines())
        told = (line for line in lines if line.strip() and not _ON_TCP.search(line))
        if self._stood_still > _STALL:
            told = (line for line in told if not _STALLED.search(line))
        return [line for line in told if not self._complains.search(line)]

    @property
    def pid(self) -> int:
        """The kernel's process."""
        provisioner: Any = self._manager.provisioner
        return int(provisioner.pid)

    def send(self, code: str, history: bool = True) -> str:
        """Send a cell without waiting; returns the id of the request.

        Args:
            code: The cell.
            history: Whether IPython keeps it; of one that fails it then makes a second traceback, for
                ``%notebook``, which takes as long as all else in the cell.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return self.request("execute_request", content)

    def request(self, kind: str, content: Message | None = None, channel: str = "shell") -> str:
        """Send any request (kernel_info_request, comm_msg...); returns its id."""
        message = self._client.session.msg(kind, content or {})
        getattr(self._client, f"{channel}_channel").send(message)
        return str(message["header"]["msg_id"])

    def reply(self, request: str, timeout: float = SOON) -> Message | None:
        """Wait for the reply to a request; None when there is none in time."""
        with self._changed:
            self._changed.wait_for(lambda: request in self._replies, timeout)
            return self._replies[request][1] if request in self._replies else None

    def idle(self, request: str, timeout: float = SOON) -> bool:
        """Wait until all that a request publishes has arrived."""
        with self._changed:
            return self._changed.wait_for(lambda: any(map(_says_idle, self.published(request))), timeout)

    def published(self, request: str) -> list[Message]:
        """Return what the kernel has published for a request so far."""
        return [message for message in self.iopub if message["parent_header"].get("msg_id") == request]

    def result(self, request: str, timeout: float = SOON) -> Result:
        """Wait for a cell that was sent; raises AssertionError when it has no reply in time."""
        deadline = time.monotonic() + timeout
        reply = self.reply(request, timeout)
        assert reply is not None, f"no reply within {timeout} s; so far: {self.text(request)!r}"
        assert self.idle(request, max(deadline - time.monotonic(), 1)), "never idle after its reply"
        content = reply["content"]
        return Result(
            status=content["status"],
            ename=content.get("ename", ""),
            evalue=content.get("evalue", ""),
            traceback=content.get("traceback", []),
            stdout=self.text(request),
            stderr=self.text(request, "stderr"),
            displays=[message["content"] for message in self.published(request) if _shows(message)],
            reply=content,
            answered=self._replies[request][0],
        )

    def run(self, code: str, timeout: float = SOON, history: bool = True) -> Result:
        """Run a cell and wait for it; ``history`` as in `send`."""
        return self.result(self.send(code, history), timeout)

    def text(self, request: str, stream: str = "stdout") -> str:
        """Return what a cell has printed so far."""
        return "".join(
            message["content"]["text"]
            for message in self.published(request)
            if message["msg_type"] == "stream" and message["content"]["name"] == stream
        )

    def wait(self, holds: Callable[[], bool], timeout: float = SOON) -> bool:
        """Wait until something is true of what the kernel has published."""
        with self._changed:
            return self._changed.wait_for(holds, timeout)

    def wait_for_text(self, request: str, text: str, timeout: float = SOON) -> bool:
        """Wait until a running cell has printed ``text``."""
        with self._changed:
            return self._changed.wait_for(lambda: text in self.text(request), timeout)

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Press the restart button, and wait until the new process answers."""
        self._manager.restart_kernel()
        deadline = time.monotonic() + START_TIMEOUT
        # The first answers may be published before the new process knows that we listen.
        while not self.idle(self.request("kernel_info_request"), 1):
            assert time.monotonic() < deadline, "no answer after a restart"

    def shutdown(self, now: bool = False) -> None:
        """Ask the kernel to end, or kill it; does nothing the second time."""
        if self._stopping.is_set():
            return
        self._manager.shutdown_kernel(now=now)
        self._stopping.set()
        for reader in getattr(self, "_readers", []):
            reader.join(60)
        self._client.stop_channels()
        self._manager.cleanup_resources()
        self._stderr.close()
        self._home.cleanup()

    def _environment(self) -> dict[str, str]:
        folders = {
            name: str(self.home / name.lower())
            for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        return os.environ | folders | {"HOME": str(self.home)} | repository_importable()

    def _read(self, channel: str) -> None:
        source = getattr(self._client, f"{channel}_channel")
        turn = time.monotonic()
        while not self._stopping.is_set():
            turn, last = time.monotonic(), turn
            self._stood_still = max(self._stood_still, turn - last)
            try:
                message = source.get_msg(timeout=0.1)
            except queue.Empty:
                continue
            with self._changed:
                self._take(channel, message)
                self._changed.notify_all()

    def _take(self, channel: str, message: Message) -> None:
        if channel == "iopub":
            self.iopub.append(message)
        else:
            self._replies[message["parent_header"].get("msg_id", "")] = (time.monotonic(), message)


def _says_idle(message: Message) -> bool:
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")


def _shows(message: Message) -> bool:
    return message["msg_type"] in ("execute_result", "display_data", "update_display_data")
