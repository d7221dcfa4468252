"""What may be connected to: pure decisions on canonical URLs and addresses, no sockets and no files."""

from __future__ import annotations

from ipyws.policy.policy import Policy
from ipyws.policy.rule import Rule
from ipyws.policy.verdict import Verdict

__all__ = ["Policy", "Rule", "Verdict"]
