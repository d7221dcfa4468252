"""What a policy says about one connection, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ipyws.policy.rule import Rule
from ipyws.text.rich import Rich, Table

Action = Literal["websocket.connect", "websocket.connect.url"]
CONNECT: Final = "websocket.connect"
CONNECT_URL: Final = "websocket.connect.url"


@dataclass(frozen=True, slots=True)
class Verdict(Rich):
    """A decision; it is true where the connection is allowed.

    Attributes:
        allowed: Whether it is.
        reason: Why, in words.
        rule: The rule that decided, or None where none did.
        layer: The name of the layer that decided: "built in", "machine", "project", "notebook" or "kernel".
        file: The file to edit, or "".
        line: Where in it, or None.
        action: What was asked: "websocket.connect" (may this notebook connect at all) or
            "websocket.connect.url" (may it connect there).
    """

    allowed: bool
    reason: str
    rule: Rule | None = None
    layer: str = ""
    file: str = ""
    line: int | None = None
    action: Action = CONNECT_URL

    def _shown_as(self) -> Table:
        rule = f"{self.rule.effect} {self.rule.url}" if self.rule else "no rule"
        rows = [("why", self.reason), ("rule", rule), ("where", self.where or "built in")]
        return Table("allowed" if self.allowed else "denied", rows)

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def where(self) -> str:
        """Which policy decided, and where it stands."""
        if not self.layer:
            return ""
        line = f", line {self.line}" if self.line else ""
        return f"{self.layer} policy" + (f" in {self.file}{line}" if self.file else "")

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{'allowed' if self.allowed else 'denied'}: {self.reason}{where}"
