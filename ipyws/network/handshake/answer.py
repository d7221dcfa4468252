"""The head of the server's answer to the handshake: what came, as it came.

Read by us and not by `websockets`, whose parser keeps neither status nor headers of an answer that it does
not like, and takes less than HTTP allows. Whether the answer is an agreement is judged by `agreement`.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from sys import intern

from websockets.exceptions import InvalidHandshake

from ipyws.errors import brief

LONGEST_HEAD = 64 * 1024
"""Bytes that an answer may have before its body, interim answers included."""

MOST_HEADERS = 256

_MOST_LINES = 4 * MOST_HEADERS  # those of values on several lines included
_MOST_ODDITIES = 8  # of the same kind

_LINE_END = re.compile(rb"\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d{1,2}(?:\.\d{1,2})?)([ \t]+)([1-9]\d\d)(?:([ \t])(.*))?", re.DOTALL)
_INTERIM = re.compile(rb"HTTP/\d\.\d 1(?!01)\d\d[ \r\n]")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)([ \t]*):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_BLANKS = " \t"
# Lines of nearly every agreement: to take one apart is a microsecond.
_USUAL = {b"Upgrade: websocket": ("Upgrade", "websocket"), b"Connection: Upgrade": ("Connection", "Upgrade")}
_REASON_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of an HTTP answer.

    Attributes:
        version: Of HTTP, such as "1.1".
        status: A number of three digits.
        reason: The reason phrase, or "".
        headers: Names and values, in order.
        oddities: In words, in what it differs from what HTTP allows.
        complete: Whether all of it came.
    """

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    oddities: tuple[str, ...] = ()
    complete: bool = True
    _by_name: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return self._by_name.get(name.lower(), [])

    def __post_init__(self) -> None:
        for name, value in self.headers:
            self._by_name.setdefault(name.lower(), []).append(value)


class NotHTTPError(InvalidHandshake):
    """What came does not begin as an HTTP answer does."""

    def __init__(self, start: bytes) -> None:
        super().__init__()
        self.start = start


class NoAnswerError(InvalidHandshake):
    """The connection ended before there was an answer, or within it."""

    def __init__(self, has_begun: bool = False) -> None:
        super().__init__()
        self.has_begun = has_begun


class AnswerError(InvalidHandshake):
    """An HTTP answer that can't be read, or that is no agreement.

    Args:
        what: What is wrong with it.
        hint: What to do about it.
        head: What could be read of it, or None.
    """

    def __init__(self, what: str, hint: str = "the fault is the server's", head: Head | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.head = head


class HeadReader:
    """Reads until the head of the final answer is there; interim answers (1xx) are skipped."""

    __slots__ = ("_begin", "_searched", "_seen", "_start")

    def __init__(self) -> None:
        self._seen = bytearray()
        self._begin = 0  # of the present answer, in what was seen
        self._start = 0  # of its status line
        self._searched = 0

    @property
    def has_begun(self) -> bool:
        """Whether anything came."""
        return bool(self._seen)

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return the head and what follows it, or None as long as it is not complete.

        Raises:
            NotHTTPError: It is no HTTP.
            AnswerError: It is malformed, or too large.
        """
        self._seen += data
        while True:
            self._find_start()
            found = _find_end(self._seen, max(self._start, self._searched - 2))
            end = found[1] if found else len(self._seen)
            if end > LONGEST_HEAD:
                return _too_large(bytes(self._seen[self._start : self._start + LONGEST_HEAD]))
            if found is None:
                self._searched = end
                return None
            if not _INTERIM.match(self._seen, self._start):
                raw = bytes(self._seen[self._start : found[0]])
                head = parse_head(raw, led=self._start > self._begin)
                if head.status >= 200 or head.status == 101:
                    rest = bytes(self._seen[end:])
                    self._seen.clear()
                    return head, rest
            self._begin = self._start = self._searched = end

    def end(self) -> Head:
        """Return what came of a refusal, where the connection ends within its head.

        Raises:
            NoAnswerError: It is no refusal, or not even its status line is whole.
        """
        raw = bytes(self._seen[self._start :])
        with contextlib.suppress(AnswerError):
            whole, line_end, _ = raw.rpartition(b"\n")
            if line_end and (head := parse_head(whole.rstrip(b"\r"), complete=False)).status >= 200:
                return head
        raise NoAnswerError(has_begun=self.has_begun)

    def _find_start(self) -> None:
        while self._start < len(self._seen) and self._seen[self._start] in b"\r\n":
            self._start += 1
        if not b"HTTP/".startswith(self._seen[self._start : self._start + 5]):
            raise NotHTTPError(bytes(self._seen[self._start : self._start + LONGEST_HEAD]))


def _find_end(data: bytearray, start: int) -> tuple[int, int] | None:
    """Return where the empty line behind a head begins, the end of its last line included, and where it ends.

    A regular expression takes 7 µs for it, which is a hundredth of opening a connection; so does its `split`.
    """
    usual = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, usual + 1 if usual >= 0 else len(data))
    found, end = (usual, usual + 3) if bare < 0 else (bare, bare + 2)
    if found < 0:
        return None
    return (found - 1 if data[found - 1 : found] == b"\r" else found), end


def _too_large(raw: bytes) -> tuple[Head, bytes]:
    """Return the start of a refusal, which is one all the same.

    Raises:
        AnswerError: It is no refusal.
    """
    head = parse_head((raw.rpartition(b"\n")[0] or raw).rstrip(b"\r"), complete=False)
    if head.status >= 200:
        return head, b""
    raise AnswerError(f"the head of the server's answer is larger than {LONGEST_HEAD // 1024} kB", head=head)


def parse_head(raw: bytes, *, led: bool = False, complete: bool = True) -> Head:
    """Return a head that was read, as leniently as RFC 9112 allows.

    Args:
        raw: All of it but the empty line at its end.
        led: Whether empty lines came before it.
        complete: Whether all of it came.

    Raises:
        AnswerError: Its status line is none, or 101 comes with too many headers.
    """
    is_bare = raw.count(b"\n") > raw.count(b"\r\n")
    first, *lines = _LINE_END.split(raw, _MOST_LINES + 1) if is_bare else raw.split(b"\r\n", _MOST_LINES + 1)
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise AnswerError(f"the server's answer has a malformed status line: {_brief(first)}")
    odd = ["an empty line before the answer"] if led else []
    if is_bare:
        odd.append("lines that end without a carriage return")
    if status[2] != b" " or status[4] != b" ":
        odd.append("a status line with missing or other blanks")
    headers = _headers(lines[:_MOST_LINES], odd)
    reason = (status[5] or b"").strip().decode("latin-1")[:_REASON_SHOWN]
    head = Head(status[1].decode(), int(status[3]), reason, headers[:MOST_HEADERS], tuple(odd), complete)
    if head.status == 101 and (len(headers) > MOST_HEADERS or len(lines) > _MOST_LINES):
        raise AnswerError(f"the server's answer has more than {MOST_HEADERS} headers", head=head)
    return head


def _headers(lines: list[bytes], odd: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the headers of some lines, and note what is odd about them."""
    headers: list[tuple[str, str]] = []
    folded: dict[str, None] = {}
    spaced: dict[str, None] = {}
    wrong: list[bytes] = []
    for line in lines:
        if (usual := _USUAL.get(line)) is not None:
            headers.append(usual)
        elif line[:1] in (b" ", b"\t") and headers:  # a value that goes on (RFC 9112 section 5.2)
            folded.setdefault(headers[-1][0])
            name, value = headers[-1]
            more = line.decode("latin-1").strip(_BLANKS)
            headers[-1] = name, f"{value} {more}".strip(_BLANKS)
        elif field := _FIELD.fullmatch(line):
            name = intern(field[1].decode("ascii"))  # it is kept, and most servers have the same ones
            if field[2]:
                spaced.setdefault(name)
            headers.append((name, field[3].decode("latin-1").strip(_BLANKS)))
        else:
            wrong.append(line)
    odd += [f"a blank between {name} and its colon" for name in list(spaced)[:_MOST_ODDITIES]]
    odd += [f"a value on several lines in {name}" for name in list(folded)[:_MOST_ODDITIES]]
    odd += [f"a line that is no header: {_brief(line)}" for line in wrong[:_MOST_ODDITIES]]
    return tuple(headers)


def _brief(line: bytes) -> str:
    return brief(line.decode("latin-1"))
