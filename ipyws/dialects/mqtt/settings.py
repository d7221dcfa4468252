"""What may be chosen of MQTT: when the connection opens, and with each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.dialects.dialect import Settings, Word
from ipyws.core.options.kinds import DurationKind, OptionKind, SwitchKind, WholeKind, refuse
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import PairsKind, TextKind
from ipyws.dialects.mqtt import topics
from ipyws.dialects.mqtt.packets import V5, V311, Will
from ipyws.dialects.mqtt.wire import LONGEST_FIELD
from ipyws.dialects.payloads import write_payload
from ipyws.errors import InvalidError, brief, suggestion

_VERSIONS: Final = {"5": V5, "5.0": V5, "3.1.1": V311, "4": V311, "311": V311}
_WILL: Final = ("topic", "payload", "qos", "retain")
_QOS: Final = WholeKind(0, 2)


class VersionKind(OptionKind):
    """A version of MQTT, by its name or by its protocol level."""

    values = '5 or "3.1.1"'
    annotation = "Literal[5, 4] | str"
    checked = "int"
    metavar = "VERSION"

    def check(self, name: str, value: Any) -> int:
        text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        if text not in _VERSIONS:
            raise refuse(name, value, self.values)
        return _VERSIONS[text]


class ShortTextKind(TextKind):
    """A text that fits into a field of a packet."""

    def check(self, name: str, value: Any) -> str | None:
        text = super().check(name, value)
        if text is not None:
            _check_field(name, text)
        return text


class WillKind(OptionKind):
    """A message that the server publishes once this client is lost; None for none."""

    values = "mapping"
    annotation = "Mapping[str, Any] | None"
    checked = "Mapping[str, Any] | None"

    def check(self, name: str, value: Any) -> Mapping[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, Mapping) or "topic" not in value:
            raise refuse(name, value, 'a mapping such as {"topic": "gone", "payload": "me", "qos": 1}')
        for key in value:
            if key not in _WILL:
                hint = suggestion(str(key), _WILL, f"it has {', '.join(_WILL)}")
                raise InvalidError(f"{name} has no {brief(key)}", hint=hint)
        topics.check_topic(value["topic"], f"{name} topic")
        _QOS.check(f"{name} qos", value.get("qos", 0))
        SwitchKind().check(f"{name} retain", value.get("retain", False))
        will_of(value, AUTO)
        return dict(value)


def will_of(value: Mapping[str, Any], codec: Codec) -> Will:
    """Return the will that a mapping means.

    Raises:
        InvalidError: Its payload can't be written, or is too long.
    """
    payload = write_payload(value.get("payload"), codec)
    if len(payload) > LONGEST_FIELD:
        what = f"the payload of a will has {len(payload):,} bytes"
        raise InvalidError(what, hint=f"MQTT allows {LONGEST_FIELD:,}")
    return Will(value["topic"], payload, value.get("qos", 0), value.get("retain", False))


def _check_field(name: str, text: str) -> None:
    try:
        fits = len(text.encode()) <= LONGEST_FIELD and "\x00" not in text
    except UnicodeEncodeError:
        fits = False
    if not fits:
        hint = f"at most {LONGEST_FIELD:,} bytes of UTF-8 without U+0000 are allowed"
        raise InvalidError(f"{name} can't be sent", hint=hint)


SETTINGS: Final = (
    Option("version", VersionKind(), 5, 'the version that is spoken: 5, or "3.1.1"'),
    Option("client_id", ShortTextKind(optional=True), None, "the client identifier; None for a random one"),
    Option("clean", SwitchKind(), True, "begin without what the server kept of an earlier session"),
    Option("keepalive", DurationKind(), "30s", "the time between PINGREQ packets"),
    Option("will", WillKind(), None, "what the server publishes once this client is lost"),
    Option(
        "session_expiry",
        DurationKind(),
        None,
        "how long the server keeps the session of a lost client; with clean=False an hour unless said",
    ),
)

_SUBSCRIBE: Final = (
    Option("qos", _QOS, 0, "the quality of service that is asked for"),
    Option("no_local", SwitchKind(), False, "leave out what this client publishes"),
    Option("details", SwitchKind(), False, "items tell topic, QoS and properties beside the payload"),
)
_PUBLISH: Final = (
    Option("qos", _QOS, 0, "the quality of service; with 1 and 2 it waits for the server"),
    Option("retain", SwitchKind(), False, "have the server keep it for who subscribes later"),
    Option("content_type", ShortTextKind(optional=True), None, "what the payload is"),
    Option("response_topic", ShortTextKind(optional=True), None, "where an answer is expected"),
    Option("correlation_data", ShortTextKind(optional=True), None, "what an answer is to repeat"),
    Option("expiry", DurationKind(), None, "how long it is worth something; in whole seconds"),
    Option("user_properties", PairsKind(), None, "names and values for whoever receives it"),
)
FLAGS: Final[Mapping[Word, tuple[Option, ...]]] = {"subscribe": _SUBSCRIBE, "publish": _PUBLISH}


def publish_properties(settings: Settings, version: int) -> dict[str, Any]:
    """Return the properties of a message (MQTT 5, section 3.3.2.3) that the flags of publish mean.

    Raises:
        InvalidError: One can't be sent, or the version has none.
    """
    found = {
        name: settings[name] for name in ("content_type", "response_topic") if settings[name] is not None
    }
    if settings["correlation_data"] is not None:
        found["correlation_data"] = settings["correlation_data"].encode()
    if settings["expiry"] is not None:
        found["message_expiry_interval"] = whole_seconds(settings["expiry"])
    if settings["user_properties"]:
        found["user_property"] = list(settings["user_properties"].items())
        for text in (text for pair in found["user_property"] for text in pair):
            _check_field("user_properties", text)
    if found.get("response_topic"):
        topics.check_topic(found["response_topic"], "response_topic")
    if found and version != V5:
        names = ", ".join(found)
        raise InvalidError(f"there is no {names} in MQTT 3.1.1", hint="MQTT 5 has properties")
    return found


def whole_seconds(seconds: float, most: int = 0xFFFF_FFFF) -> int:
    """Return a duration as MQTT has it: in whole seconds, at least one."""
    return max(1, min(most, -int(-seconds // 1)))
