"""A frame as RFC 6455 section 5.2 draws it."""

from __future__ import annotations

import ipyws
from ipyws.view.diagram import diagram
from tests.core.wire.test_tap import FRAGMENTS, HELLO, LONG, LONGER, MASKED_HELLO, Line

DRAWN = """\
 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-------+-+-------------+-------------------------------+
|F|R|R|R|opcode |M| Payload len |          Masking-key          |
|I|S|S|S|       |A|             |                               |
|N|V|V|V|       |S|             |                               |
| |1|2|3|       |K|             |                               |
|1|0|0|0|0 0 0 1|1|0 0 0 0 1 0 1|             37 fa             |
+-+-+-+-+-------+-+-------------+-------------------------------+
|     Masking-key continued     |         Payload Data          |
|             21 3d             |             7f 9f             |
+-------------------------------+---------------+---------------+
|            Payload Data continued             |
|                   4d 51 58                    |
+-----------------------------------------------+
"""


def drawn(data: bytes, *, sent: bool = False) -> list[str]:
    line = Line()
    (line.tap.sent if sent else line.tap.came)(data)
    return [diagram(frame) for frame in line.frames]


def test_the_example_of_the_standard_is_drawn_with_its_bits_and_bytes() -> None:
    (picture,) = drawn(MASKED_HELLO, sent=True)
    assert picture.startswith(DRAWN)
    assert "without the mask: 48 65 6c 6c 6f  Hello" in picture
    assert picture.endswith("000000  81 85 37 fa 21 3d 7f 9f  4d 51 58                 ..7.!=..MQX")


def test_longer_lengths_have_their_fields() -> None:
    medium, long = drawn(LONG)[0], drawn(LONGER)[0]
    assert "|    Extended payload length    |" in medium
    assert "             01 00             |" in medium
    assert "|               Extended payload length continued               |" in long
    assert "127: the next 64 bits say it" in long
    assert all(len(line) <= 80 for line in long.splitlines())
    assert "… 65,418 more" in long  # 65,536 less the 118 of 128 bytes that are no header


def test_fragments_say_which_they_are() -> None:
    first, last = drawn(FRAGMENTS)
    assert "its message goes on" in first
    assert "fragment 2 of its message" in last


def test_what_is_secret_is_not_drawn_its_key_is() -> None:
    ipyws.secret("Hello")
    (picture,) = drawn(MASKED_HELLO, sent=True)
    assert "37 fa" in picture
    assert "7f 9f" not in picture
    assert "4d 51" not in picture
    assert "not shown" in picture
    (plain,) = drawn(HELLO)
    assert "48 65" not in plain
