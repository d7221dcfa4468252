"""The grammar of a ``%%ws`` body: messages, and between them lines that begin with ``===``.

::

    {"op": "subscribe"}
    === wait-for-server                     // one message
    === wait 3 5s where json["type"] == "tick"
    === expect json["ok"] as reply within 2s
    === expect valid subscribed             // by the connection's contract
    === sleep 500ms
    === hex
    00 ff
    === file image.bin
    === ping
    === close 1000 done

A time has a unit, a bare number is a count. Behind an expression a comment is Python's ``#``: there ``//``
divides. Templates are left as they are; nothing is evaluated here.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ipyws.core.connection.closing import check_close
from ipyws.core.options.durations import seconds
from ipyws.errors import InvalidError, closest
from ipyws.script.expression import compile_condition, valid_message
from ipyws.script.steps import DEFAULT_TIMEOUT, Close, Encoding, Expect, Ping, Send, Sleep, Step, Wait

_SEPARATOR: Final = re.compile(r"===(?:\s+(.*))?")
_COMMENT: Final = re.compile(r"(?<!\S)//.*")
_WHERE: Final = re.compile(r"(?<!\S)where(?!\S)")
_SUFFIX: Final = re.compile(r"(?<!\S)(as|within)\s+([^\s\"'()\[\]]+)$")
_ENDS_IN_TIME: Final = re.compile(r"\s\d\S*[smh]\s*$")
_SHOWN: Final = 40
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class _Encode(Step):
    """How the payload that follows is written."""

    encoding: Encoding


def parse(body: str, *, first_line: int = 1) -> list[Step]:
    """Return what a body does, in order.

    One line break after a separator and one before the next belong to the separators; a payload of nothing
    but white space is no message.

    Args:
        body: The body of a ``%%ws`` cell.
        first_line: The number of its first line, for errors and `Step.line`.

    Raises:
        InvalidError: A directive is unknown, incomplete or misplaced, with its line.
    """
    steps: list[Step] = []
    for directive, payload in _slots(with_line_feeds(body), first_line):
        _check_place(directive, payload)
        if payload is not None:
            encoding = directive.encoding if isinstance(directive, _Encode) else "text"
            payload = Send(payload.line, payload.payload, encoding)
        steps += [step for step in (directive, payload) if step and not isinstance(step, _Encode)]
    return steps


def with_line_feeds(body: str) -> str:
    r"""Return a body whose lines end as Jupyter's do: CRLF is how a file was written, and not what is sent.

    A carriage return that is meant is written as ``{{"\r"}}``.
    """
    return body.replace("\r\n", "\n")


def _slots(body: str, first_line: int) -> Iterator[tuple[Step | None, Send | None]]:
    """Yield each directive, None for a bare separator, with the payload that follows it."""
    directive: Step | None = None
    lines = body.removesuffix("\n").split("\n")
    start = 0
    for index, text in enumerate(lines):
        match = _SEPARATOR.fullmatch(text.rstrip())
        if match:
            yield directive, _payload(lines[start:index], first_line + start)
            directive = _directive((match[1] or "").strip(), first_line + index)
            start = index + 1
        elif glued := _GLUED.match(text):
            raise _at(
                first_line + index, _bad("a space is missing after ===", f"write it as: === {glued[1]}")
            )
    yield directive, _payload(lines[start:], first_line + start)


def _payload(lines: list[str], line: int) -> Send | None:
    text = "\n".join(lines)
    return Send(line, text) if text.strip() else None


def _check_place(directive: Step | None, payload: Send | None) -> None:
    if isinstance(directive, _Encode) and payload is None:
        raise _at(directive.line, _bad(f"{directive.encoding} has no payload", "write the payload below it"))
    if isinstance(directive, Send) and payload is not None:
        raise _at(payload.line, _bad("payload after file", 'the file is the payload; put "===" between them'))


def _directive(text: str, line: int) -> Step | None:
    word = text.split(maxsplit=1)[0] if text else ""
    if not word or word.startswith("//"):
        return None
    try:
        return _maker(word)(line, text[len(word) :].strip())
    except InvalidError as error:
        raise _at(line, error) from None


def _maker(word: str) -> Callable[[int, str], Step]:
    if word in DIRECTIVES:
        return DIRECTIVES[word]
    close = closest(word[:_SHOWN], DIRECTIVES)
    hint = f"did you mean {close!r}?" if close else f"known are {', '.join(DIRECTIVES)}"
    raise _bad(f"unknown directive {word[:_SHOWN]!r} after ===", hint)


def _wait_for_server(line: int, text: str) -> Step:
    _no_arguments("wait-for-server", text)
    return Wait(line)


def _wait(line: int, text: str) -> Step:
    head, *where = _WHERE.split(text, maxsplit=1)
    arguments = _uncomment(head)
    words = arguments.split()
    count = _number("count of wait", words.pop(0)) if words and words[0].isdigit() else 1
    if not count:
        raise _bad("count of wait is 0", "write a count of at least 1")
    timeout = _duration("timeout of wait", words.pop(0)) if words else DEFAULT_TIMEOUT
    if words:
        raise _bad(f"wait does not take {words[0][:_SHOWN]!r}", "write it as: === wait 3 5s where EXPR")
    expression = _expression("where", where[0]) if where and arguments == head.strip() else None
    return Wait(line, count, timeout, expression)


def _expect(line: int, text: str) -> Step:
    found: dict[str, str] = {}
    while (match := _SUFFIX.search(text)) and match[1] not in found:
        found[match[1]] = match[2]
        text = text[: match.start()].rstrip()
    name = found.get("as")
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name) or name == "env"):
        raise _bad(f"{name[:_SHOWN]!r} after as is not a name", "write the name of a variable")
    timeout = _duration("timeout of expect", found["within"]) if "within" in found else DEFAULT_TIMEOUT
    return Expect(line, _expression("expect", text), name, timeout)


def _sleep(line: int, text: str) -> Step:
    return Sleep(line, _duration("time of sleep", _uncomment(text)))


def _ping(line: int, text: str) -> Step:
    _no_arguments("ping", text)
    return Ping(line)


def _close(line: int, text: str) -> Step:
    code, *reason = _uncomment(text).split(maxsplit=1) or ["1000"]
    return Close(line, *check_close(_number("close code", code), "".join(reason)))


def _encode(encoding: Encoding) -> Callable[[int, str], Step]:
    def make(line: int, text: str) -> Step:
        _no_arguments(encoding, text)
        return _Encode(line, encoding)

    return make


def _file(line: int, text: str) -> Step:
    path = _uncomment(text)
    if not path:
        raise _bad("file has no path", "write it as: === file PATH")
    return Send(line, path, "file")


DIRECTIVES: Final[dict[str, Callable[[int, str], Step]]] = {
    "wait-for-server": _wait_for_server,
    "wait": _wait,
    "expect": _expect,
    "sleep": _sleep,
    "ping": _ping,
    "close": _close,
    "hex": _encode("hex"),
    "base64": _encode("base64"),
    "file": _file,
}
"""What may stand behind ``===``."""

# As text it would be sent, and the step be forgotten.
_GLUED: Final = re.compile(rf"===({'|'.join(DIRECTIVES)})(?!\S)")


def _no_arguments(directive: str, text: str) -> None:
    if _uncomment(text):
        hint = (
            "write the payload below it" if directive in ("hex", "base64") else "it stands alone on its line"
        )
        raise _bad(f"{directive} does not take {text[:_SHOWN]!r}", hint)


def _number(what: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise _bad(f"{what} is {text[:_SHOWN]!r}", "write a whole number")
    return int(text)


def _duration(what: str, text: str) -> float:
    try:
        return seconds(text, name=what)
    except InvalidError as error:
        raise _bad(error.message, 'write a time with its unit, such as "300ms" or "1m30s"') from None


def _expression(directive: str, text: str) -> str:
    if not text.strip():
        raise _bad(f"{directive} has no expression", f'write it as in: {directive} json["ok"]')
    if valid_message(text) is not None:
        return text.strip()
    try:
        compile_condition(text)
    except InvalidError as error:
        hint = "a time stands before where" if directive == "where" else "a time stands behind within"
        error.hint = error.hint or (hint if _ENDS_IN_TIME.search(text) else "")
        raise
    return text.strip()


def _uncomment(text: str) -> str:
    return _COMMENT.sub("", text).strip()


def _bad(what: str, hint: str) -> InvalidError:
    return InvalidError(what, hint=hint)


def _at(line: int, error: InvalidError) -> InvalidError:
    return InvalidError(f"line {line}: {error.message}", hint=error.hint)
