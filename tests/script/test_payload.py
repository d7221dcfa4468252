from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.script import payload
from ipyws.script.expression import make_evaluator
from ipyws.script.payload import check_json, from_base64, from_file, from_hex, read
from ipyws.script.steps import Encoding

evaluate = make_evaluator({"x": 5, "name": 'a"b', "raw": b"\x00\xff", "spec": '{"a": 1}'})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("hello", "hello"),
        ("", ""),
        ("{{x}} apples", "5 apples"),
        ('{"n": {{x}}, "s": {{name}}}', '{"n": 5, "s": "a\\"b"}'),
        ("{{raw}}", b"\x00\xff"),
        ("{{spec}}", '{"a": 1}'),
        (' {"a":\n 1}\n', ' {"a":\n 1}\n'),
        ("not {json", "not {json"),
    ],
)
def test_text_is_sent_with_its_templates_expanded(text: str, sent: str | bytes) -> None:
    assert read(text, "text", evaluate) == sent


def test_raw_text_keeps_its_templates() -> None:
    assert read("{{x}} apples", "text", evaluate, raw=True, plain=True) == "{{x}} apples"
    with pytest.raises(InvalidError, match="not JSON"):
        read("{{x}} apples", "text", evaluate, raw=True)


@pytest.mark.parametrize("text", ["{oops", "[1, 2", " \n[1,]", "[NaN]", "[-Infinity]", "[" * 100_000])
def test_what_begins_like_json_must_be_json_unless_plain(text: str) -> None:
    with pytest.raises(InvalidError, match="the payload is not JSON") as caught:
        read(text, "text", evaluate)
    assert "--text" in caught.value.hint
    assert read(text, "text", evaluate, plain=True) == text


def test_the_error_points_at_line_and_column() -> None:
    with pytest.raises(InvalidError, match="line 2 column 3"):
        check_json('{"a":\n  oops}')


@pytest.mark.parametrize("text", ["", "oops", "{}", '[1, "a", null]', "\n {}", "1,", '"'])
def test_json_and_what_does_not_begin_like_it_pass(text: str) -> None:
    check_json(text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("00ff1e", b"\x00\xff\x1e"),
        ("00 FF\n1e", b"\x00\xff\x1e"),
        ("0x00, 0XFF", b"\x00\xff"),
        ("00:ff", b"\x00\xff"),
        ("f0 0f", b"\xf0\x0f"),
    ],
)
def test_hex_digits_are_bytes(text: str, data: bytes) -> None:
    assert from_hex(text) == data


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0g", "'g' is not"),
        ("fff", "3 hex digits"),
        ("110x1f", "'x' is not"),
        ("٣٣", "is not"),
        ("a-b", "'-'"),
    ],
)
def test_other_hex_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidError, match=why):
        from_hex(text)


@given(st.binary(max_size=50))
def test_bytes_survive_hex_and_base64(data: bytes) -> None:
    assert from_hex(data.hex(" ")) == data
    assert from_base64(base64.b64encode(data).decode()) == data
    assert from_base64(base64.urlsafe_b64encode(data).decode().rstrip("=")) == data


def test_base64_may_be_wrapped() -> None:
    assert from_base64(" aGVs\n bG8= \n") == b"hello"


@pytest.mark.parametrize("text", ["a", "a*b=", "aGVsbG8é", "=aGV", "\ud800aaa"])
def test_other_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="not base64"):
        from_base64(text)


def test_a_file_is_sent_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.bin").write_bytes(b"\x00{{x}}\xff")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert from_file(f" {tmp_path / 'data.bin'}\n") == b"\x00{{x}}\xff"
    assert from_file("~/data.bin") == b"\x00{{x}}\xff"


@pytest.mark.parametrize("name", ["none.bin", ".", "", "a\x00b", "~no-such-user-here/x"])
def test_a_file_that_cannot_be_read_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidError, match="can't be read"):
        from_file(name)


def test_a_file_is_at_most_128_mb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert payload._LARGEST_FILE == 128 * 1024 * 1024
    monkeypatch.setattr(payload, "_LARGEST_FILE", 10)
    (tmp_path / "fits").write_bytes(b"x" * 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    assert from_file(str(tmp_path / "fits")) == b"x" * 10
    with pytest.raises(InvalidError, match="larger than 128 MB"):
        from_file(str(tmp_path / "large"))


@pytest.mark.parametrize(
    ("text", "encoding", "data"),
    [("00 0{{x}}", "hex", b"\x00\x05"), ("aGVsbG8=", "base64", b"hello"), ("{{raw}}", "hex", b"\x00\xff")],
)
def test_an_encoding_applies_after_the_templates(text: str, encoding: Encoding, data: bytes) -> None:
    assert read(text, encoding, evaluate) == data


def test_the_path_of_a_file_may_be_a_template(tmp_path: Path) -> None:
    (tmp_path / "5.bin").write_bytes(b"five")
    assert read(f"{tmp_path}/{{{{x}}}}.bin", "file", evaluate) == b"five"


@pytest.mark.parametrize("text", ['{"type":6}\x1e', '{"a":1}\x1e[2]\x1e'])
def test_records_that_each_end_in_a_terminator_are_json(text: str) -> None:
    assert read(text, "text", str) == text


@pytest.mark.parametrize("text", ['{"type":6}\x1e{', '{"a":1}\x1e{"b"}\x1e', "{\x1e"])
def test_records_that_are_no_json_are_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="the payload is not JSON"):
        read(text, "text", str)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "device", "standard input", "folder"])
def test_only_a_regular_file_is_sent(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/zero" if kind == "device" else "/dev/stdin")
    with pytest.raises(InvalidError, match=r"can't be read: (it is not a regular file|is a directory)"):
        from_file(str(path))
