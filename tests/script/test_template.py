from __future__ import annotations

import json
import math
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.script.expression import make_evaluator
from ipyws.script.template import expand, expand_plain, find, protect


def expressions(text: str) -> list[str]:
    return [part.text for part in find(text) if part.is_expression]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no template", []),
        ("", []),
        ("{{ a }}", ["a"]),
        ("{{a}}{{b}}", ["a", "b"]),
        ('{"a": {"b": {{x}}}}', ["x"]),
        ('{{ {"a": {"b": 1}} }}', ['{"a": {"b": 1}}']),
        ("{{{1: 2}}}", ["{1: 2}"]),
        ("{{ '}}' }}", ["'}}'"]),
        ('{{ "a\\"}}" }}', ['"a\\"}}"']),
        ("{{ '''it's }}''' }}", ["'''it's }}'''"]),
        ('{{ f"{x}{{}}" }}', ['f"{x}{{}}"']),
        ("{{ [i for i in {1}] }}", ["[i for i in {1}]"]),
        ("{{\n a\n}}", ["a"]),
        ("{{ a) }} }}", ["a)"]),
        ("{{{{ a }}", []),
        ("{{{{{{a}}", ["a"]),
        ("{ {a} }", []),
        ("}} {{a}} }}", ["a"]),
        ("{{ f'' }} {{ b }}", ["f''", "b"]),
    ],
)
def test_an_expression_ends_at_the_braces_outside_its_own_brackets_and_strings(
    text: str, found: list[str]
) -> None:
    assert expressions(text) == found


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("{{", "line 1 column 1", "has no end"),
        ("a\nbc {{ x }", "line 2 column 4", "has no end"),
        ("{{ {x }} ", "line 1 column 1", "has no end"),
        ("{{ it's }} {{ b }}", "line 1 column 1", "has no end"),
        ('{{ """x }} {{ b }}', "line 1 column 1", "has no end"),
        ("a {{}}", "line 1 column 3", "is empty"),
        ("{{ok}}\n{{  }}", "line 2 column 1", "is empty"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(InvalidError) as caught:
        find(text)
    assert place in caught.value.message
    assert reason in caught.value.message


NAMES = {
    "text": 'say "hi"\n',
    "word": "abc",
    "n": 3,
    "yes": True,
    "nothing": None,
    "data": {"ä": [1, None]},
    "blob": b"\x00\xff",
    "nan": math.nan,
    "thing": object(),
    "path": Path("a", "b.jsonl"),
}
evaluate = make_evaluator(NAMES)


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("plain", "plain"),
        ("{{text}}", 'say "hi"\n'),
        ("{{blob}}", b"\x00\xff"),
        ("  {{ bytearray(blob) }}\n", b"\x00\xff"),
        ("{{data}}", '{"ä": [1, null]}'),
        ("{{n}}", "3"),
        ("{{yes}}", "true"),
        ("{{nothing}}", "null"),
        ("n={{n}}, {{yes}}, {{nothing}}", "n=3, True, None"),
        ('"{{text}}"', '"say "hi"\n"'),
        ('{"a": {{text}}}', '{"a": "say \\"hi\\"\\n"}'),
        (
            '{"a": {{data}}, "b": [{{n}}, {{yes}}, {{nothing}}]}',
            '{"a": {"ä": [1, null]}, "b": [3, true, null]}',
        ),
        ('{"a": "<{{text}}>"}', '{"a": "<say \\"hi\\"\\n>"}'),
        ('{"a\\"": {{word}}, "b": "{{word}}"}', '{"a\\"": "abc", "b": "abc"}'),
        ('{"a\\\\": {{word}}}', '{"a\\\\": "abc"}'),
        ("{ {{word}}: 1}", '{ "abc": 1}'),
        ("\n [{{word}}]", '\n ["abc"]'),
        ("{{n}}: [1]", "3: [1]"),
        ("{{{{ n }}", "{{ n }}"),
        ("{{{{ {{word}}", "{{ abc"),
        ('{"a": "{{{{n}}"}', '{"a": "{{n}}"}'),
    ],
)
def test_a_value_takes_the_form_of_its_place(body: str, sent: str | bytes) -> None:
    assert expand(body, evaluate) == sent


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{thing}}", "no JSON form"),
        ("{{nan}}", "not finite"),
        ('{"a": {{blob}}}', "no JSON form"),
        ('{"a": "{{blob}}"}', "bytes inside text"),
        ("x {{blob}}", "bytes inside text"),
        ("{{ {1: {2}} }}", "no JSON form"),
        ("{{ {(1, 2): 3} }}", "no JSON form"),
        ("{{ missing }}", "'missing' is not defined"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ n n }}", "not a Python expression"),
        ("{{ n = 1 }}", "not a Python expression"),
        ("{{ import os }}", "not a Python expression"),
        ("{{ " + "-" * 100_000 + "1 }}", "not a Python expression"),
    ],
)
def test_what_cannot_be_put_in_is_an_error_that_names_the_expression(body: str, reason: str) -> None:
    with pytest.raises(InvalidError) as caught:
        expand(body, evaluate)
    assert reason in caught.value.message
    assert expressions(body)[-1][:20] in caught.value.message
    assert len(caught.value.message) < 400


def test_a_body_that_is_said_to_be_text_gets_no_json() -> None:
    assert expand("[INFO] {{word}}", evaluate, as_text=True) == "[INFO] abc"


def test_nothing_is_evaluated_before_the_whole_body_is_found_well_formed() -> None:
    seen: list[str] = []
    with pytest.raises(InvalidError):
        expand("{{a}} {{b}} {{", seen.append)
    assert seen == []


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("wss://{{word}}.example/{{n}}?x={{yes}}", "wss://abc.example/3?x=True"),
        ('{"a": {{word}}}', '{"a": abc}'),
        ("{{word}}", "abc"),
        ("{{path}}", str(Path("a", "b.jsonl"))),
        ("{{{{", "{{"),
    ],
)
def test_in_a_url_or_header_a_value_is_plain_text(text: str, expanded: str) -> None:
    assert expand_plain(text, evaluate) == expanded


@pytest.mark.parametrize("name", ["blob", "data", "nothing", "thing"])
def test_in_a_url_or_header_only_text_and_numbers_have_a_form(name: str) -> None:
    with pytest.raises(InvalidError, match=name):
        expand_plain(f"ws://{{{{{name}}}}}/", evaluate)


def test_env_reads_the_environment_and_what_it_yields_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWS_TEST_TOKEN", "s3cr3t-value")
    assert expand_plain("Bearer {{env.IPYWS_TEST_TOKEN}}", evaluate) == "Bearer s3cr3t-value"
    assert expand("{{env['IPYWS_TEST_TOKEN']}}", evaluate) == "s3cr3t-value"
    with pytest.raises(InvalidError) as caught:
        expand("{{int(env.IPYWS_TEST_TOKEN)}}", evaluate)
    assert "ValueError" in caught.value.message
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_secret_is_masked_before_a_long_message_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWS_TEST_TOKEN", "s3cr3t-value")

    def fail(token: str) -> None:
        raise ValueError("x" * 190 + token)

    with pytest.raises(InvalidError) as caught:
        make_evaluator({"fail": fail})("fail(env.IPYWS_TEST_TOKEN)")
    assert "s3cr3t" not in caught.value.message


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IPYWS_TEST_UNSET", raising=False)
    with pytest.raises(InvalidError, match="IPYWS_TEST_UNSET"):
        expand("{{env.IPYWS_TEST_UNSET}}", evaluate)


def test_an_expression_sees_current_names_and_changes_none() -> None:
    names: dict[str, object] = {}
    run = make_evaluator(names)
    names["late"] = 1
    assert run("[late + i for i in range(2)]") == [1, 2]
    run("(late := 5)")
    assert names == {"late": 1}


def test_an_interrupt_in_an_expression_is_not_swallowed() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_evaluator({"f": interrupt})("f()")


def test_a_protected_line_splits_into_words_that_keep_their_templates() -> None:
    protected = protect("""connect wss://{{ word }}/x -H 'A: {{ "b c" }}' {{{{ {{text}}""")
    words = shlex.split(protected.line)
    assert [protected.restore(word, evaluate) for word in words] == [
        "connect",
        "wss://abc/x",
        "-H",
        "A: b c",
        "{{",
        'say "hi"\n',
    ]
    assert [protected.source(word) for word in words] == [
        "connect",
        "wss://{{ word }}/x",
        "-H",
        'A: {{ "b c" }}',
        "{{{{",
        "{{text}}",
    ]


def test_a_broken_template_in_a_line_matters_only_when_it_is_expanded() -> None:
    protected = protect("send {{word}} {{ oops")
    assert protected.source(protected.line) == "send {{word}} {{ oops"
    with pytest.raises(InvalidError, match="no end"):
        protected.restore(protected.line, evaluate)


def test_a_line_cannot_forge_a_placeholder() -> None:
    with pytest.raises(InvalidError, match=r"U\+0000"):
        protect("{{word}} \x000\x00")


@given(st.text(alphabet="{}\"' a\\\n", max_size=40))
def test_a_line_comes_back_as_it_was(text: str) -> None:
    protected = protect(text)
    assert protected.source(protected.line) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.text())
def test_whatever_is_put_into_json_is_json_with_that_value(value: object, text: str) -> None:
    run = make_evaluator({"value": value, "text": text})
    body = expand('{"a": {{value}}, "b": "<{{text}}>"}', run)
    assert json.loads(body) == {"a": value, "b": f"<{text}>"}
