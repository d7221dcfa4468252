"""One batch of rows as it goes to a front end, with the counters of its moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ipyws.core.messages.counts import Counts
from ipyws.widget import protocol


def batch_of(
    number: int,
    rows: list[protocol.Row],
    counts: Mapping[str, Counts],
    earlier: Collection[str],
    *,
    reset: bool,
    matched: int,
    failure: str,
    folded: int,
) -> protocol.Batch:
    """Return a batch.

    Args:
        number: Its number.
        rows: Its rows.
        counts: Of the connections, of the moment up to which there are rows: what is shown beside each other
            has to agree.
        earlier: The names of those that were opened again since, which the counters leave out.
        reset: Whether the front end begins again with it.
        matched: How many messages match so far.
        failure: What the expression of the filter raised, or "".
        folded: How many heartbeats are counted instead of shown.
    """
    now = [one for name, one in counts.items() if name not in earlier]
    return {
        "batch": number,
        "reset": reset,
        "rows": rows,
        "matched": matched,
        "failure": failure,
        "folded": folded,
        "total": sum(one.total for one in counts.values()),
        "counts": {
            "received": sum(one.received for one in now),
            "sent": sum(one.sent for one in now),
            "kept": sum(one.kept for one in now),
        },
        "evicted": {name: one.evicted for name, one in counts.items()},
        "earlier": sorted(earlier),
    }
