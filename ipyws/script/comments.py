"""``//`` comments in the messages of a pasted request, as JetBrains' own examples have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ipyws.script.steps import Send, Step

# Templates and the strings of JSON go before: a // in them is none.
_COMMENT: Final = re.compile(r'\{\{.*?\}\}|"(?:\\.|[^"\\\n])*+"?|(//[^\n]*)', re.DOTALL)
_JSON_START: Final = re.compile(r"\s*(?:\[|\{(?!\{))")


def without_comments(script: Sequence[Step]) -> list[Step]:
    """Return the steps with no comment in their JSON, nor white space where one stood around it.

    What holds nothing but comments is no message. Text that is no JSON stays as it is:
    ``//`` may belong to a URL.
    """
    bare = (_bare(step) if isinstance(step, Send) and step.encoding == "text" else step for step in script)
    return [step for step in bare if not isinstance(step, Send) or step.payload.strip()]


def _bare(step: Send) -> Send:
    text = _COMMENT.sub(lambda match: "" if match[1] else match[0], step.payload)
    if text.strip() and not _JSON_START.match(text):
        return step
    bare = text.lstrip()
    above = text[: len(text) - len(bare)].count("\n")
    return replace(step, line=step.line + above, payload=bare.rstrip())
