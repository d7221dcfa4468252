"""A user of Locust, with the websocket-client library that Locust brings: https://docs.locust.io."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Final

from ipyws.handover.names import KNOWN, read
from ipyws.handover.scenario import Action
from ipyws.handover.spelling import Spelling, comment
from ipyws.script import steps
from ipyws.snippets.description import Description
from ipyws.snippets.notes import notes_on
from ipyws.snippets.secrets import Reference, Text
from ipyws.version import __version__

NAME: Final = "Locust"
START: Final = "# A Locust user by ipyws"
_TAKEN: Final = frozenset(
    {
        *(
            "contextlib",
            "os",
            "sys",
            "time",
            "websocket",
            "constant",
            "task",
            "text",
            "spelled",
            "whole",
            "self",
            "talk",
        ),
        *("base64", "RescheduleTask", "User", "Unmet", "Message", "Talk", "Environment", "Explorer"),
        *KNOWN,
    }
)
"""Names that a script has for itself; a value of the same name gets another."""

_THEIRS: Final = """
import websocket
from locust import User, constant, task
from locust.exception import RescheduleTask


"""


def write(described: Description, actions: Sequence[Action], name: str) -> tuple[str, list[str]]:
    """Return the program, and what is not carried over or has to be set first."""
    arguments = [_text(described.take_url()), *_arguments(described)]
    spelling = _Spelling(described.notes)
    body = [line for action in actions for line in spelling.lines(action)] or ["pass"]
    connect = "".join(f"            {each},\n" for each in arguments)
    user = f'''class Explorer(User):
    """Does what was done once, again and again."""

    wait_time = constant(1)

    @task
    def conversation(self):
        with Talk(
            self,
{connect}        ) as talk:
'''
    user += "".join(f"            {line}\n" for line in body)
    notes = notes_on(described)
    kit = files("ipyws.handover").joinpath("kits/locust.txt").read_text("utf-8")
    head = [
        f"{START[2:]} {__version__}. Run it: locust -f {name} --headless -u 1 -r 1 -t 10s",
        *notes,
    ]
    comments = "".join(f"# {comment(line)}\n" for line in head)
    return comments + _imports(user) + kit + "\n\n" + user, notes


def _imports(user: str) -> str:
    names = ["contextlib", "json", "os", "sys", "time"]
    standard = sorted([*names, *(name for name in ("base64", "ssl") if f"{name}." in user)])
    return "\n" + "".join(f"import {name}\n" for name in standard) + _THEIRS


def _text(text: Text) -> str:
    parts = [f"env[{piece.name!r}]" if isinstance(piece, Reference) else repr(piece) for piece in text.pieces]
    return " + ".join(parts) or "''"


def _arguments(described: Description) -> Iterable[str]:
    """Yield what `websocket.create_connection` is given beside the URL."""
    headers = [_text(Text((f"{name}: ",)) + value) for name, value in described.take_headers()]
    if (auth := described.take("auth")) is not None:
        user, password = auth
        headers.append(
            f"'Authorization: Basic ' + base64.b64encode(({_text(user + ':' + password)}).encode()).decode()"
        )
    if headers:
        yield f"header=[{', '.join(headers)}]"
    if protocols := described.take("protocols"):
        yield f"subprotocols=[{', '.join(map(_text, protocols))}]"
    if (origin := described.take("origin")) is not None:
        yield f"origin={_text(origin)}"
    if described.take("insecure"):
        yield 'sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False}'
    yield "timeout=10"


class _Spelling(Spelling):
    """Writes actions as lines of Python."""

    JSON = "dumps"

    def send(self, payload: str) -> str:
        return f"talk.send({payload})"

    def wait(self, name: str, count: int, seconds: float, condition: str) -> str:
        given = ", ".join(filter(None, (repr(name), str(count), f"{seconds:g}", condition)))
        return f"talk.wait({given})"

    def expect(self, name: str, seconds: float, condition: str, keep: str | None) -> str:
        accepts = condition or "lambda msg, json: True"
        call = f"talk.expect({name!r}, {seconds:g}, {accepts})"
        return f"{_name(keep)} = {call}" if keep else call

    def pause(self, seconds: float) -> str:
        return f"time.sleep({seconds:g})"

    def ping(self, name: str) -> str:
        return f"talk.ping({name!r})"

    def close(self, action: steps.Close) -> Iterable[str]:
        yield f"talk.close({action.code}, {action.reason!r})"

    def condition(self, expression: str) -> str:
        return f"lambda msg, json: {self.expression(expression)}"

    def expression(self, source: str) -> str:
        return ast.unparse(_Renamed(self.kept).visit(read(source, self.kept)))

    def literal(self, text: str) -> str:
        return repr(text)

    def variable(self, name: str) -> str:
        return f"env[{name!r}]"

    def binary(self, data: bytes) -> str:
        return repr(data)

    def comment(self, text: str) -> str:
        return f"# {comment(text)}"


class _Renamed(ast.NodeTransformer):
    """Gives the names of kept values those that they have in the script."""

    def __init__(self, kept: set[str]) -> None:
        self._kept = kept

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Return a name."""
        return ast.Name(_name(node.id), node.ctx) if node.id in self._kept else node


def _name(name: str) -> str:
    return f"{name}_" if name in _TAKEN else name
