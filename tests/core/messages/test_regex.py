"""Filters search in linear time: what `re` finds is found, and what can't be searched so is refused."""

from __future__ import annotations

import asyncio
import re
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages import regex
from ipyws.core.messages.regex import compile_regex, compile_text, finder
from ipyws.errors import InvalidError, Kind
from ipyws.runtime.aside import aside

PATTERNS = [
    *(
        "price.*cancelled",
        r"\bärger\b",
        r"\w+ \w+",
        r"^\S+$",
        r"[^\W_]",
        r"[^\S\n]",
        "foo$",
        r"foo\Z",
        r"\Afoo",
    ),
    *(
        "[]]",
        "[^]]",
        "[[]",
        r"[\]\[]",
        r"\d\d",
        r"\D",
        r"[\D]",
        r"\s",
        "a{,2}b",
        '{"type"',
        r"\u00e9",
        r"\xe9",
    ),
    *(
        r"\N{LATIN SMALL LETTER E WITH ACUTE}",
        r"\141",
        r"\0",
        r"[\b]",
        r"\\",
        "(?i)FOO",
        "(?m)^x$",
        "(?s)e.x",
    ),
    *(
        r"é\-é",
        r"\é",
        "[a-z_]+_b",
        "(?P<n>fo)o",
        r"\.",
        "x.y",
        r"\bfoo",
        r"foo\b",
        r"\w\b",
        r"[\w-]",
        r"[\d\s]+",
    ),
    *(
        r"[^\d\s]",
        "[&&]",
        "$",
        "ss",
        r"\b\w+\b",
        "",
        "a|b",
        "(?:ab)+?",
        r"x|ä\b",
        "1{2,3}",
        r"[\u00e0-\u00ff]",
    ),
]
TEXTS = [
    *(
        "price cancelled",
        "PRICE\nx",
        "ärger im büro",
        " Ärger ",
        "éfoo",
        "foo",
        "foo\n",
        "a_b",
        "[x]",
        "\x0b",
    ),
    *(
        "\x1c",
        "\x85",
        "\xa0",
        "１２",
        "日本語",
        '{"type": 1}',
        "a{,2}",
        "aab",
        "",
        "]",
        "^",
        "\\",
        "\x08",
        "\0",
    ),
    *("ß", "-", "é-é", "x\u2028y", "\U0001f600", "1 22", "e\nx", "a\n", "größe", "x y", "\ud800x"),
]


def by_re(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


@given(
    st.text("aAkKsS-_ \n\0\x7f", max_size=4),
    st.text("aAkKsS-_ \n\0\x7f\u212a\u017fé", max_size=12) | st.binary(max_size=12),
)
def test_a_plain_text_is_found_where_its_regular_expression_is(wanted: str, data: str | bytes) -> None:
    text = data if isinstance(data, str) else data.decode("latin-1")
    assert compile_regex(wanted)(data) is by_re(wanted, text)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_re_finds(pattern: str) -> None:
    holds = compile_regex(pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [text for text in TEXTS if holds(text) is not by_re(pattern, text)]
    assert not wrong


@given(
    st.lists(st.sampled_from(["a", "b", ".", r"\d", r"\W", "[^a]", "x*", "(a|b)", "é+", "$", "^", r"\n"])),
    st.text(st.sampled_from("aAbBé1_ \n")),
)
def test_it_finds_what_re_finds_in_any_text(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    try:
        holds = compile_regex(pattern)
    except InvalidError:
        # Without look-ahead, "$" takes the line break at the end, which then is there for nothing else.
        assert re.search(r"\$.*(?:\^|\\W|\\n|\[\^)", pattern)
        return
    assert holds(text) is by_re(pattern, text)


@pytest.mark.parametrize("pattern", [r"$\W", r"a$\n", "(a$)[^b]", "$^", r"(a|b$)+\s", "(a$|b)\n", r"$\b"])
def test_what_goes_on_after_the_end_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidError, match=r'something follows its "\$"'):
        compile_regex(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(^|\s)a($|\s)", r"a$|\n", r"(a$|b$)", r"a\$\n", r"[$]\n", "(?:a$|b)x", "a$$"]
)
@pytest.mark.parametrize("text", ["a", "a\n", "b a\n", "a$\n", "\n", "ba c", "bx", "a\n\n"])
def test_an_end_that_nothing_follows_is_as_in_re(pattern: str, text: str) -> None:
    assert compile_regex(pattern)(text) is by_re(pattern, text)


@given(st.text(max_size=5), st.text(max_size=20))
def test_a_text_is_found_as_it_stands(wanted: str, around: str) -> None:
    assert compile_text(wanted)(around + wanted + around)
    assert compile_text(wanted)(
        wanted.encode("utf-8", "surrogatepass").decode("latin-1").encode("latin-1")
    ) or (not wanted.isascii())


def test_bytes_are_searched_as_latin_1() -> None:
    assert compile_regex("é")(b"caf\xe9")
    assert compile_regex(r"^\w+$")(b"caf\xe9")
    assert compile_regex("^abc$")(b"ABC")
    assert not compile_regex("é")("é".encode())


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)", "look-ahead"),
        ("(?!a)", "look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?<!a)b", "look-behind"),
        (r"(a)\1", "back-reference"),
        ("(?P<x>a)(?P=x)", "back-reference"),
        ("a*+", "possessive"),
        ("(?>a)", "atomic"),
        ("(a)(?(1)a|b)", "condition"),
        ("(?#c)a", "comment"),
        ("(?x)a", "flag"),
        ("(?a:a)", "flag"),
        ("a{1001}", "1,000"),
        (r"\w{900}", "too large"),
        ("a\ud800", "surrogate"),
    ],
)
def test_what_needs_more_than_one_pass_is_refused_and_named(pattern: str, why: str) -> None:
    with pytest.raises(InvalidError, match="bounded time") as raised:
        compile_regex(pattern)
    assert why in raised.value.message
    assert raised.value.kind is Kind.INVALID
    assert raised.value.hint


@pytest.mark.parametrize("pattern", ["(", "[", "a**", "(" * 3000 + ")" * 3000, r"\pL", "a{99999999999}"])
def test_what_is_no_regular_expression_of_python_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidError, match="not a regular expression"):
        compile_regex(pattern)


# Each takes `re` minutes to hours with these payloads, quadratically or worse.
@pytest.mark.parametrize(
    ("pattern", "payload"),
    [
        ("price.*cancelled", "price" * 400_000),
        ("err.*timeout", "err" * 600_000),
        ("(a+)+$", "a" * 1_000_000 + "b"),
        (r"(\w+\s?)*!", "word " * 300_000),
        ("(x+x+)+y", "x" * 1_000_000),
        (".*.*=.*", "x" * 1_000_000),
    ],
)
def test_a_payload_that_a_server_chose_ends_no_search(pattern: str, payload: str) -> None:
    assert compile_regex(pattern)(payload) is False
    assert compile_regex(pattern)(payload + "é") is False


def test_a_text_that_nearly_fits_everywhere_ends_no_search() -> None:
    assert compile_text("a" * 999 + "b")("a" * 2_000_000) is False


def test_the_loop_goes_on_while_a_payload_is_searched() -> None:
    payload = "(a" * 4_000_000
    holds = compile_regex("a.{100}b.*[^a]{3}$")

    async def scenario() -> int:
        beats = 0
        searching = aside(lambda: holds(payload))
        while not searching.done():
            beats += 1
            await asyncio.sleep(0)
        assert searching.result() is False
        return beats

    # Where other programs have both cores, one search may be over before this thread is run again.
    assert any(asyncio.run(scenario()) > 10 for _ in range(20))


def test_an_interrupt_ends_the_wait_for_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    released, started = threading.Event(), threading.Event()

    class Endless:
        def search(self, _: bytes) -> None:
            started.set()
            released.wait(60)

    def interrupt(_: float | None = None) -> None:
        assert started.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", lambda self, timeout=None: interrupt(timeout))
    try:
        with pytest.raises(KeyboardInterrupt):
            regex._run_aside(Endless(), "x" * regex.LARGE)
    finally:
        released.set()


def test_a_filter_of_a_log_takes_only_what_is_searched_in_bounded_time() -> None:
    log = RecordedLog()
    log.append("in", ["price" * 200_000, "a price was cancelled"], 1_000_021)
    assert [message.seq for message in log.filter(grep="price.*cancelled")] == [1]
    with pytest.raises(InvalidError, match="look-ahead"):
        log.filter(grep="price(?=x)")
    with pytest.raises(InvalidError, match="as text"):
        log.filter(grep=re.compile("x"))  # type: ignore[arg-type]


# -- where there is no RE2 ---------------------------------------------------------------------------------


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex, "re2", None)
    for cached in (compile_regex, compile_text):
        cached.cache_clear()


@pytest.mark.usefixtures("without_re2")
def test_without_re2_plain_text_is_searched_and_the_rest_says_what_is_missing() -> None:
    try:
        assert compile_regex("ÄRGER im")("viel ärger im büro")
        assert compile_regex("caf")(b"CAF\xe9")
        assert not compile_text("a.b")("axb")
        for pattern in ("a.*b", "^a", r"\d", "a|b", "a{2}", "(a)", "[a]", "a$", "a?"):
            with pytest.raises(InvalidError, match="google-re2") as raised:
                compile_regex(pattern)
            assert "pip install google-re2" in raised.value.hint
    finally:
        for cached in (compile_regex, compile_text):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("wanted", "is_regex", "text", "found"),
    [
        ("btc", False, "a BTC, b btc", ["BTC", "btc"]),
        ("a+", False, "aa a+", ["a+"]),
        (r"p\w+e", True, "PRICE; prüfe; pie", ["PRICE", "pie"]),
        ("x*", True, "yxxy", ["xx"]),
        ("ü", True, "€ü€Ü", ["ü", "Ü"]),
        ("\ud800", False, "a\ud800b", ["\ud800"]),
    ],
)
def test_where_it_stands_is_told_in_characters(
    wanted: str, is_regex: bool, text: str, found: list[str]
) -> None:
    assert [text[start:end] for start, end in finder(wanted, regex=is_regex)(text)] == found
