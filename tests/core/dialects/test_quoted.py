"""The words of a server, fit for a message and for a row."""

from __future__ import annotations

from ipyws.core.dialects.quoted import quoted
from ipyws.text.masking import secret


def test_words_are_cut_after_their_secrets_were_masked() -> None:
    token = secret("canary-" + "x" * 60)
    assert quoted("no " * 50 + str(token)) == "no " * 50 + "***"
    assert quoted("y" * 170 + " " + str(token)) == "y" * 170 + " ***"
    assert quoted("y" * 500) == "y" * 200 + "…"
    assert "canary" not in quoted("y" * 4080 + " " + str(token))


def test_what_is_no_text_is_spelled() -> None:
    assert quoted({"a": 1}) == "{'a': 1}"
    assert quoted(None) == "None"
