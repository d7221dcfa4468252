"""Whether a message keeps to the contract of its connection, in words for its row."""

from __future__ import annotations

from typing import Final

from ipyws.core.messages.contract import Contract, judge_message
from ipyws.core.messages.message import Message
from ipyws.view.format import WINDOW, shown

_WORDS: Final = 200


def broken(contract: Contract | None, message: Message) -> str:
    """Return how a message breaks a contract; "" if it does not, or is too large to be judged in passing."""
    if contract is None or message.type not in ("text", "binary"):
        return ""
    try:
        if message.codec.is_larger(message.data, WINDOW):
            return ""
        judgement = judge_message(contract, message)
    except Exception:  # codecs and contracts may be anybody's, and a view has to go on
        return ""
    if judgement is None or judgement:
        return ""
    first, *others = map(str, judgement.violations)
    more = f", and {len(others)} more" if others else ""
    return shown(f"breaks the contract: {first}{more}", _WORDS)
