"""The fields of a record: of a dataclass, and of the classes of attrs, msgspec and pydantic.

None of these is imported: a class tells by its attributes what it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


def fields_of(value: Any) -> Callable[[], Any] | None:
    """Return what gives the fields of a record as a dict; None if the value is no record."""
    kind = type(value)
    if hasattr(kind, "model_dump"):  # pydantic
        return lambda: _of_model(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__]
    elif hasattr(kind, "__struct_fields__"):  # msgspec
        return lambda: _of_struct(value, kind)
    elif hasattr(kind, "__fields__") and hasattr(kind, "dict"):  # pydantic 1
        return lambda: value.dict()
    else:
        return None
    return lambda: {name: getattr(value, name) for name in names}


def _of_model(model: Any) -> Any:
    """Return the fields of a pydantic model; a field of any type may hold what it cannot write."""
    try:
        return model.model_dump(mode="json")
    except ValueError:
        return model.model_dump()


def _of_struct(struct: Any, kind: Any) -> Any:
    """Return the fields of a msgspec struct under the names, and in the form, that msgspec gives them."""
    config = kind.__struct_config__
    tagged = config.tag is not None
    values = [getattr(struct, name) for name in kind.__struct_fields__]
    if config.array_like:
        return [config.tag, *values] if tagged else values
    fields = zip(kind.__struct_encode_fields__, values, strict=True)
    given = {name: value for name, value in fields if type(value).__name__ != "UnsetType"}
    return {config.tag_field: config.tag, **given} if tagged else given
