"""The options of a connection in groups."""

from __future__ import annotations

from collections import Counter

from ipyws.core.options.groups import GROUPS, label
from ipyws.core.options.table import OPTIONS


def test_every_option_is_in_one_group() -> None:
    assert Counter(name for names in GROUPS.values() for name in names) == Counter(
        option.name for option in OPTIONS
    )


def test_an_option_in_words_is_no_name_of_python_and_no_other_has_the_same() -> None:
    words = [label(option.name) for option in OPTIONS]
    assert all("_" not in word and word[0].isupper() for word in words)
    assert len(set(words)) == len(words)
    assert label("headers") == "Headers"
    assert label("protocols") == "Subprotocols"
    assert label("dial_timeout") == "Dial timeout"
