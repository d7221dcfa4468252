"""Kernels from a warm process: it has imported ipykernel and ipyws once, and forks a kernel for each request.

A kernel spends most of its start on imports, the same ones each time, and as long again on what ``%load_ext
ipyws`` and a first connection import. The warm process (this file, run as a program) has made them; it has
started no thread and no context of ZeroMQ, and has called nothing of ipyws. What it forks goes on as
``python -m ipykernel_launcher`` does: with an environment, a folder, a session and standard streams of its
own, and with a real end of the interpreter. What ipyws notes of its process during an import is noted again.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import LocalProvisioner

PRELOADED = (
    "ipykernel.kernelapp ipykernel.debugger ipykernel.ipkernel ipykernel.zmqshell tornado.platform.asyncio "
    "IPython.core.completerlib IPython.core.oinspect IPython.extensions.storemagic sqlite3 sysconfig difflib "
    "tomllib encodings.idna idna msgspec.inspect"
)
"""What a kernel imports before its first cell, and what ipyws imports that isn't its own."""
OURS = (
    "ipyws.notebook.extension ipyws.runtime.loop_thread ipyws.runtime.server ipyws.network.dialling.dial "
    "ipyws.demo.server"
)
"""What leads to all that ``%load_ext ipyws`` imports, and the first connection: 0.5 s of CPU."""
AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "XDG_", "PYDEVD_", "JUPYTER_P", "WEBSOCKETS_")
"""How variables begin that are read when Python starts, or when something is imported."""
_LAUNCHER = ["-m", "ipykernel_launcher"]


def warm(manager: KernelManager) -> None:
    """Have a manager start its kernel from a warm process."""
    manager.provisioner = WarmProvisioner(
        kernel_id=str(uuid.uuid4()), kernel_spec=manager.kernel_spec, parent=manager
    )


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel from the warm process of ours, or by itself where that would be another kernel."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel."""
        place = cmd.index("-m")
        server = WarmServer.of(cmd[:place], kwargs["env"]) if cmd[place : place + 2] == _LAUNCHER else None
        if server is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = server.start(cmd[place + 2 :], kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs["cwd"]
        return self.connection_info


class WarmServer:
    """The warm process, and this end of the way to it; it ends when this process does."""

    _mine: WarmServer | None = None

    def __init__(self, python: list[str], env: dict[str, str]) -> None:
        self._python, self._env = python, _at_start(env)
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [*python, __file__, str(other.fileno())],
                env=env,
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )
        atexit.register(self._end)

    @classmethod
    def of(cls, python: list[str], env: dict[str, str]) -> WarmServer | None:
        """Return that of this process, if an interpreter that is started with these would be like it."""
        if sys.platform != "linux":  # others have no Unix sockets of this kind, or no fork that is safe
            return None
        cls._mine = cls._mine or cls(python, env)
        return cls._mine if (python, _at_start(env)) == (cls._mine._python, cls._mine._env) else None

    def start(self, arguments: list[str], how: dict[str, Any]) -> WarmProcess:
        """Start a kernel; ``how`` is meant for `subprocess.Popen`."""
        mine, other = socket.socketpair()
        request = {"arguments": arguments, "env": how["env"], "cwd": str(how["cwd"])}
        with other, open(os.devnull, "rb") as stdin:
            streams = [stdin, how.get("stdout") or 1, how.get("stderr") or 2]
            fds = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
            socket.send_fds(self._control, [json.dumps(request).encode()], [*fds, other.fileno()])
        return WarmProcess(mine)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


class WarmProcess:
    """A kernel of the warm process, for whoever expects a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.pid = int(told.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._ended(socket.MSG_DONTWAIT)

    def wait(self) -> int | None:
        """Wait until it has ended."""
        return self._ended(0)

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _ended(self, flags: int) -> int | None:
        if self.returncode is None:
            with contextlib.suppress(BlockingIOError):
                # Nothing comes where the warm process is gone: its kernels go with it.
                self.returncode = int(self._told.recv(64, flags) or -signal.SIGKILL)
                self._told.close()
        return self.returncode


def _at_start(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


def _serve(control: socket.socket, imported: dict[str, str]) -> None:
    """Fork a kernel for each request, and tell how each ended; returns in a kernel only."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    told: dict[int, socket.socket] = {}
    while True:
        if control in select.select([control, woken], [], [])[0]:
            request, fds, *_ = socket.recv_fds(control, 1 << 20, 4)
            if not request:
                os._exit(0)
            if (pid := os.fork()) == 0:
                return _become(json.loads(request), fds, imported)
            told[pid] = socket.socket(fileno=fds.pop())
            for fd in fds:
                os.close(fd)
        else:
            os.read(woken, 4096)
            _tell(told)


def _tell(told: dict[int, socket.socket]) -> None:
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with told.pop(pid) as other, contextlib.suppress(OSError):
            other.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], fds: list[int], imported: dict[str, str]) -> None:
    """Make of a forked process one that has just been started."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    os.write(fds[3], str(os.getpid()).encode())
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"] | imported)
    spec = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(spec and spec.origin), *request["arguments"]]
    _note_again()
    gc.enable()


def _note_again() -> None:
    """Have ipyws note the folder that this process begins in."""
    ours: list[Any] = [module for name, module in sys.modules.items() if name.startswith("ipyws.")]
    began = sys.modules["ipyws.config.notebook_path"].START
    for module in ours:
        if vars(module).get("START") is began:
            module.START = Path.cwd()


def _import_ours() -> list[Callable[[], object]]:
    """Import ipyws; return what it wants to be called at the end of the process."""
    wanted: list[Callable[[], object]] = []
    register, atexit.register = atexit.register, lambda called: wanted.append(called) or called
    for name in OURS.split():
        importlib.import_module(name)
    atexit.register = register
    return wanted


def _main() -> None:
    del sys.path[0]  # the folder of this file
    before = dict(os.environ)
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # it is read during an import
    gc.disable()
    for name in PRELOADED.split():
        importlib.import_module(name)
    at_end = _import_ours()
    gc.freeze()
    imported = {name: value for name, value in os.environ.items() if before.get(name) != value}
    _serve(socket.socket(fileno=int(sys.argv[1])), imported)
    app = sys.modules["ipykernel.kernelapp"].IPKernelApp.instance()
    app.initialize()
    for (
        called
    ) in at_end:  # behind the shell's own, as where a cell has imported it: the last one is called first
        atexit.register(called)
    app.start()


if __name__ == "__main__":
    _main()
