"""Places in values, as columns of a table name them."""

from __future__ import annotations

import pytest

from ipyws.capture.parquet.path import ValuePath
from ipyws.errors import InvalidError

VALUE = {"a": {"b": [1, {"c": 2}]}, "x.y": 3, "": {"z": 4}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[0]", 1),
        ("a.b[1].c", 2),
        ("/a/b/1/c", 2),
        ("/x.y", 3),
        ("//z", 4),
        ("a.b[9]", None),
        ("a.b.c", None),
        ("a.q.r", None),
        ("a.b", [1, {"c": 2}]),
    ],
)
def test_a_path_leads_to_what_stands_there(path: str, found: object) -> None:
    assert ValuePath(path).of(VALUE) == found


@pytest.mark.parametrize("value", [None, 5, "text", [], b"x"])
def test_a_path_leads_nowhere_in_what_has_no_parts(value: object) -> None:
    assert ValuePath("a.b").of(value) is None


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a.", "a[x]", "a[", "a]", "x" * 201, 5, None, "a[-1]"])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(InvalidError, match="is not a path"):
        ValuePath(path)
