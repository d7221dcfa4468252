"""Which topics may be published on and subscribed to, and which filter matches which topic."""

from __future__ import annotations

import pytest
from paho.mqtt.client import topic_matches_sub

from ipyws.dialects.mqtt.topics import check_filter, check_topic, matches, plain_filter
from ipyws.errors import InvalidError

FILTERS = ["a", "a/b", "a/+", "+/b", "a/#", "#", "+", "+/+", "/+", "a/+/c", "$SYS/#", "+/x", "a//b", "a/+/#"]
TOPICS = ["a", "a/b", "a/b/c", "b", "/b", "a/", "a//b", "$SYS/x", "$SYS", "/", "b/b"]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("wanted", FILTERS)
def test_a_filter_matches_what_it_matches_for_paho(wanted: str, topic: str) -> None:
    assert matches(wanted.split("/"), topic.split("/")) == topic_matches_sub(wanted, topic)


def test_a_shared_subscription_matches_by_its_filter() -> None:
    assert plain_filter("$share/group/a/+") == "a/+"
    assert plain_filter("$shared/a") == "$shared/a"


@pytest.mark.parametrize(
    "wanted", ["a+", "a/+b", "#/a", "a#", "", "a/b#", 5, "x" * 65_536, "a\x00", "\ud800"]
)
def test_a_filter_that_is_none_is_refused(wanted: object) -> None:
    with pytest.raises(InvalidError):
        check_filter(wanted)


@pytest.mark.parametrize("topic", ["a/+", "#", "", None, "a\x00b"])
def test_a_topic_that_is_none_is_refused(topic: object) -> None:
    with pytest.raises(InvalidError):
        check_topic(topic)
    assert check_topic("Küche/Licht") == check_filter("Küche/Licht") == "Küche/Licht"
