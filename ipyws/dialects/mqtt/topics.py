"""Topic names and topic filters (MQTT 5, section 4.7)."""

from __future__ import annotations

from typing import Any, Final

from ipyws.dialects.mqtt.wire import LONGEST_FIELD
from ipyws.errors import InvalidError, brief

_SHARED: Final = "$share/"


def check_topic(topic: Any, what: str = "the topic") -> str:
    """Return a topic that can be published on.

    Raises:
        InvalidError: It can't.
    """
    text = _check_text(topic, what)
    if "+" in text or "#" in text:
        hint = "+ and # stand in what is subscribed to, a message has one topic"
        raise InvalidError(f"{what} {brief(text)} holds a wildcard", hint=hint)
    return text


def check_filter(topic: Any) -> str:
    """Return a topic filter that can be subscribed to.

    Raises:
        InvalidError: It can't.
    """
    text = _check_text(topic, "the topic")
    levels = plain_filter(text).split("/")
    if any("+" in level and level != "+" for level in levels):
        hint = "+ stands for one whole level, as in sensors/+/temperature"
        raise InvalidError(f"the topic {brief(text)} has a + beside other characters", hint=hint)
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        hint = "# stands for all levels that follow, as in sensors/#"
        raise InvalidError(f"the topic {brief(text)} has a # that is not its last level", hint=hint)
    return text


def _check_text(topic: Any, what: str) -> str:
    if not isinstance(topic, str) or not topic:
        raise InvalidError(f"{what} is {brief(topic)}", hint="a text such as sensors/1 is allowed")
    try:
        length = len(topic.encode())
    except UnicodeEncodeError:
        length = LONGEST_FIELD + 1
    if length > LONGEST_FIELD or "\x00" in topic:
        hint = f"at most {LONGEST_FIELD} bytes of UTF-8 without U+0000 are allowed"
        raise InvalidError(f"{what} {brief(topic)} can't be sent", hint=hint)
    return str(topic)


def plain_filter(topic: str) -> str:
    """Return the filter of a shared subscription (section 4.8.2), or the filter itself."""
    if not topic.startswith(_SHARED):
        return topic
    return topic.split("/", 2)[-1]


def matches(levels: list[str], topic: list[str]) -> bool:
    """Tell whether a filter matches a topic, both split at their slashes.

    Wildcards in the first level do not match topics that begin with $ (section 4.7.2).
    """
    if topic[0].startswith("$") and levels[0] in ("+", "#"):
        return False
    for place, level in enumerate(levels):
        if level == "#":
            return True
        if place >= len(topic) or level not in ("+", topic[place]):
            return False
    return len(levels) == len(topic)
