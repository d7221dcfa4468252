"""Comments in the messages of a pasted request."""

from __future__ import annotations

import pytest

from ipyws.script.comments import without_comments
from ipyws.script.grammar import parse
from ipyws.script.steps import Send


def payloads(body: str) -> list[str]:
    return [step.payload for step in without_comments(parse(body)) if isinstance(step, Send)]


@pytest.mark.parametrize(
    ("body", "bare"),
    [
        ('{"a": 1} // one', ['{"a": 1}']),
        ('// Request body, for example:\n{"a": 1}', ['{"a": 1}']),
        ('{\n  "a": 1 // one\n  // two\n}', ['{\n  "a": 1 \n  \n}']),
        ('["http://a", "\\"//b"] // c', ['["http://a", "\\"//b"]']),
        ('{"a": {{7 // 2}}} // d', ['{"a": {{7 // 2}}}']),
        ('{"never closed // e\n} // f', ['{"never closed // e\n}']),
        ("{{greeting}} // g", ["{{greeting}} // g"]),
        ("see http://a // h", ["see http://a // h"]),
        ("// only\n// comments\n===\n// here too\n===\nb", ["b"]),
        ("=== file a//b\n===\n[] // i", ["a//b", "[]"]),
    ],
)
def test_comments_of_json_go_and_all_other_text_stays(body: str, bare: list[str]) -> None:
    assert payloads(body) == bare


def test_the_line_of_a_message_is_that_of_its_json() -> None:
    assert without_comments(parse("a\n===\n\n[] // b")) == [Send(1, "a"), Send(4, "[]")]
