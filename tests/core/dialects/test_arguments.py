"""Several arguments as one value."""

from __future__ import annotations

from ipyws.core.dialects.arguments import value_of


def test_several_arguments_are_a_list_one_is_itself_none_is_none() -> None:
    assert (value_of([]), value_of([[1]]), value_of((1, 2))) == (None, [1], [1, 2])
