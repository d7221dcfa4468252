"""How the tests are spread over the worker processes of pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LONG = (
    "tests.system.test_browser",
    "tests.project.test_docs",
    "tests.system.test_panel_browser",
    "tests.system.test_panel_kernel",
    "tests.system.test_nbclient",
    "tests.system.test_policy_magic",
)
"""Groups that take long though they have few tests: they are begun first."""


class Spread(LoadScopeScheduling):
    """Give whole groups of tests to the workers: those of an xdist_group, and of each other module.

    A module's tests share servers and programs, so it is run in one process. The first worker begins with the
    quick modules, the others with what starts kernels and browsers: a mistake is told soon, and a worker that
    waits for a kernel leaves its core to one that computes. On both sides the longest comes first, so that
    the last ones are short, and no core is idle at the end.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._places: dict[str, int] = {}

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid.split("::", 1)[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._places:  # all workers have collected the same
            self._places = {nodeid: place for place, nodeid in enumerate(self.registered_collections[node])}
        first = node is self.nodes[0]
        scopes = [scope for scope in self.workqueue if ("/" in scope) is first] or list(self.workqueue)
        scope = max(scopes, key=lambda name: (name in LONG, len(self.workqueue[name])))
        unit = self.workqueue.pop(scope)
        self.assigned_work[node][scope] = unit
        node.send_runtest_some([self._places[nodeid] for nodeid, done in unit.items() if not done])


def group_of(nodeid: str) -> str:
    """Return the xdist_group that pytest-xdist has written into a test's id, or ""."""
    return nodeid[nodeid.rfind("@") + 1 :] if nodeid.rfind("@") > nodeid.rfind("]") else ""
