"""Records that are read many at once are read as one by one, or refused in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ipyws.capture.jsonl import records
from ipyws.capture.jsonl.schema import Recorded, from_record
from ipyws.capture.jsonl.values import encoded
from ipyws.capture.load import load
from ipyws.core.codecs.auto import AUTO
from ipyws.errors import InvalidError

HEADER = b'{"ipyws": 1, "url": "wss://h/"}\n'
PLAIN = b'{"seq": 7, "time": 5.5, "direction": "in", "type": "text", "size": 1, "data": "x"}\n'

SCALARS: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([2**53, 2**53 + 1, -(2**63), 2**64, 10**30, 0.0, -0.0, 1.5, 1e11, 1e300, -1.5]),
    st.text(st.characters(codec=None), max_size=4),
    st.sampled_from(["in", "out", "text", "binary", "ping", "close", "breach", "AAE=", "AA=", "\ud800"]),
    st.sampled_from([[], ["env.TOKEN"], ["{{x}}"], [1], {}, {"a": []}, ["env.A"] * 101]),
)
KINDS = st.sampled_from(["text", "text", "text", "binary", "ping", "pong", "close", "open", "breach"])
USUAL = st.fixed_dictionaries(
    {
        "time": st.sampled_from([5, 5.25, 1790000000.123456]),
        "direction": st.sampled_from(["in", "out"]),
        "type": KINDS,
    },
    optional={
        "seq": st.integers(0, 9),
        "size": st.integers(0, 9),
        "data": st.text(st.characters(codec=None), max_size=5),
        "base64": st.sampled_from(["", "AAE=", "AA="]),
        "code": st.integers(990, 1010),
        "rtt": st.sampled_from([0.5, 0]),
        "reason": st.text(max_size=3),
        "breach": st.text(max_size=3),
        "refs": st.sampled_from([["env.TOKEN"], []]),
        "masked": st.booleans(),
    },
)
KEYS = ("seq", "rtt", "code", "reason", "breach", "refs", "masked", "other")
ALL_KEYS = (*KEYS, "time", "direction", "type", "size", "data", "base64", "gap", "ipyws", "url")
ODD = st.dictionaries(st.sampled_from(ALL_KEYS), SCALARS, max_size=3)
RECORDS = st.builds(lambda usual, odd: {**usual, **odd}, USUAL, st.one_of(st.just({}), ODD))
STYLES: list[Callable[[Any], str]] = [
    json.dumps,
    lambda value: json.dumps(value, separators=(",", ":")),
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode(),
]
LINES = st.builds(lambda record, style: style(record).encode() + b"\n", RECORDS, st.sampled_from(STYLES))
BROKEN = st.sampled_from(
    [
        b"\n",
        b" \n",
        b'{"seq": 1\n}\n',
        PLAIN.strip() * 2 + b"\n",
        PLAIN.strip() + b" \n",
        PLAIN.strip() + b"\r\n",
        PLAIN.replace(b'"x"', b'"\xff"'),
        PLAIN.replace(b'"x"', b'"\xed\xa0\x80"'),
        PLAIN.replace(b'"x"', b'"\\ud800"'),
        PLAIN.replace(b'"x"', b'"\t"'),
        PLAIN.replace(b"7", b"7.0"),
        PLAIN.replace(b"7", b"07"),
        PLAIN.replace(b"5.5", b"NaN"),
        PLAIN.replace(b"5.5", b"1e400"),
        PLAIN.replace(b"}", b', "data": "y"}'),
        PLAIN.replace(b"}", b', "deep": ' + b"[" * 3000 + b"]" * 3000 + b"}"),
        b'{"gap": 2}\n',
        HEADER,
        b"[]\n",
    ]
)
LISTS = st.lists(st.one_of(st.just(PLAIN), LINES, BROKEN), max_size=6)
FILES = LISTS.map(lambda lines: HEADER + b"".join(lines))
TWO_LINES = b'{"seq": 7, "time": 5.5,\n"direction": "in", "type": "text", "data": ""}\n'


@contextmanager
def one_by_one() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "msgspec", None)
        yield


def told(path: Path) -> Any:
    """Return all that a file holds, or why it is refused."""
    try:
        with load(path) as capture:
            messages = list(capture)
            assert [capture[place] for place in range(len(capture))] == messages
            return capture.note, capture.about, [_facts(message) for message in messages]
    except InvalidError as error:
        return str(error)


def _facts(message: Any) -> Any:
    assert isinstance(message, Recorded)
    control = (message.code, message.reason, message.rtt, message.breach)
    return (
        (message.type, message.data, message.direction, message.seq, message.time, type(message.time)),
        (control, message.refs, message.masked, message.codec),
    )


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records") / "x"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=FILES)
@example(content=HEADER + PLAIN.strip() * 2 + b"\n" + TWO_LINES)
def test_a_file_is_read_the_same_with_and_without_msgspec(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    together = told(file)
    with one_by_one():
        assert told(file) == together


HAR_ITEMS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["send", "receive"]),
        "time": st.sampled_from([5, 5.25, 1790000000.5, 1790000000500.0, -1, 1e11, 1e15]),
        "opcode": st.sampled_from([1, 1, 1, 2, 8, 9, 10, -1, 3]),
        "data": st.one_of(
            st.sampled_from(["", "AAE=", "A+jh"]), st.text(st.characters(codec=None), max_size=4)
        ),
    },
    optional={f"_{key}": SCALARS for key in KEYS},
)
HAR_STYLES: list[Callable[[Any], str]] = [
    lambda items: ",\n".join(map(json.dumps, items)) + "\n",
    lambda items: json.dumps(items, indent=2)[1:-1],
    lambda items: ",\r\n".join(map(json.dumps, items)),
    lambda items: json.dumps(items)[1:-1],
]
HEADERS = b'"headers": [{"name": "a", "value": "b"},\n{"name": "c", "value": "d"}]'
REST = [
    b']}, {"request": {"url": "http://h/",\n%s}}]}}' % HEADERS,
    b"]}]}}",
    b",]}]}}",
    b"",
]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=st.lists(HAR_ITEMS, max_size=5), style=st.sampled_from(HAR_STYLES), rest=st.sampled_from(REST))
def test_a_har_is_read_the_same_with_and_without_msgspec(
    file: Path, items: Any, style: Any, rest: bytes
) -> None:
    start = b'{"log": {"entries": [{"request": {"url": "wss://h/"},\n"_webSocketMessages": [\n'
    file.write_bytes(start + style(items).encode() + rest)
    together = told(file)
    with one_by_one():
        assert told(file) == together


def test_many_records_are_read_at_once_and_controls_among_them_too() -> None:
    pong = {"time": 5, "direction": "in", "type": "pong", "rtt": 0.5, "base64": "AA=="}
    block = PLAIN * 3 + json.dumps(pong).encode() + b"\n" + PLAIN.rstrip()
    assert records.check(block, 0) == 5
    read = records.read(block, 0, AUTO)
    assert read is not None
    assert [(message.type, message.seq) for message in read] == [("text", 7)] * 3 + [("pong", 3), ("text", 7)]
    assert records.check(block + b"\n" + PLAIN.rstrip() * 2, 0) is None
    assert records.check(PLAIN * 3 + b"\n" + PLAIN * 2, 0) is None
    assert records.check(PLAIN.replace(b'"x"', b'"\\ud800"'), 0) is None
    assert records.check(PLAIN * 5000, 0) is None  # long lines are measured before they are parsed


@settings(max_examples=300, deadline=None)
@given(spelled=st.text("AQg/+=_- \n", max_size=9))
@example(spelled="AAAA=")
@example(spelled="AR==")
def test_base64_is_taken_only_as_the_check_of_one_record_takes_it(spelled: str) -> None:
    line = json.dumps({"time": 5, "direction": "in", "type": "binary", "base64": spelled}).encode()
    together = records.read(line, 0, AUTO)
    if together is not None:
        assert together[0].data == encoded(spelled)


@pytest.mark.parametrize(
    "strange",
    [
        {"type": "binary", "base64": "AAE="},
        {"refs": ["env.A"]},
        {"breach": "byte 1"},
        {"rtt": None, "code": 7},
    ],
    ids=["binary", "refs", "breach", "a key of others"],
)
def test_one_record_that_is_no_plain_text_leaves_its_block_to_be_read_at_once(
    strange: dict[str, Any],
) -> None:
    line = json.dumps({**json.loads(PLAIN), **strange}).encode() + b"\n"
    block = PLAIN * 2 + line + PLAIN
    assert records.check(block, 0) == 4
    read = records.read(block, 0, AUTO)
    assert read is not None
    alone = [from_record(json.loads(each), 0) for each in block.splitlines()]
    assert list(map(_facts, read)) == list(map(_facts, alone))


@pytest.mark.parametrize("count", [1, 200, 3000])
def test_a_line_longer_than_a_block_stands_between_short_ones(file: Path, count: int) -> None:
    long = PLAIN.replace(b'"x"', b'"%s"' % (b"y" * 300_000))
    file.write_bytes(HEADER + (PLAIN * count + long) * 2 + PLAIN.rstrip())
    with load(file) as capture:
        assert [len(message.data) for message in capture] == ([1] * count + [300_000]) * 2 + [1]
        for place in (0, count, count + 1, 2 * count + 1, -1):
            assert len(capture[place].data) == (300_000 if place in (count, 2 * count + 1) else 1)
        assert [message.data for message in capture[count + 1 : count + 2]] == ["x"]


@pytest.mark.parametrize("kind", ["ping", "binary"])
def test_data_beside_another_type_does_not_make_it_a_text(kind: str) -> None:
    line = json.dumps({**json.loads(PLAIN), "type": kind, "base64": "AAE="}).encode() + b"\n"
    assert records.check(line, 0) == 1
    read = records.read(line, 0, AUTO)
    assert read is not None
    assert (read[0].type, read[0].data) == (kind, b"\0\1")


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("seq", -1),
        ("seq", 2**53 + 1),
        ("size", -1),
        ("size", 2**53 + 1),
        ("time", -0.5),
        ("time", 1e12),
        ("type", "texts"),
        ("direction", "up"),
        ("masked", 1),
    ],
)
def test_one_wrong_value_among_plain_texts_is_left_to_who_says_what_is_wrong(key: str, wrong: Any) -> None:
    line = json.dumps({**json.loads(PLAIN), key: wrong}).encode() + b"\n"
    assert records.check(PLAIN + line + PLAIN, 0) is None
    assert records.check(PLAIN * 3, 0) == 3
