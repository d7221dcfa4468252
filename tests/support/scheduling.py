"""How the tests are spread over the worker processes of pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

SECONDS = {
    "lab": 165,
    "tests.project.test_binder": 77,
    "tests/project/test_benchmarks.py": 41,
    "site": 40,
    "tests/system/test_faults_processes.py": 30,
    "packaging": 28,
    "tests/network/wire/test_frame_reader_differential.py": 24,
    "tests/demo/test_server.py": 22,
    "tests/system/test_terminal.py": 22,
    "tests.system.test_canary_doors": 20,
    "tests.system.test_script_failures": 17,
    "tests.system.test_lifecycle": 16,
    "tests.system.test_waiting_kernel": 16,
    "tests.system.test_canary_failures": 15,
    "tests.system.test_nbclient": 15,
    "tests.system.test_script_runners": 15,
    "tests.system.test_faults_kernel": 14,
    "tests.system.test_magic_kernel": 14,
    "tests.system.test_live_view": 13,
    "tests.system.test_canary_messages": 12,
    "tests.system.test_policy_magic": 12,
    "docs-troubleshooting": 10,
    "tests/widget/test_tree.py": 10,
    "tests.system.test_panel_kernel": 9,
    "tests/policy/test_policy_properties.py": 9,
    "tests/runtime/test_waiting.py": 9,
    "price_stream": 8,
    "rabbitmq": 8,
    "tests.project.test_notebooks": 8,
    "tests.system.test_debugger": 8,
    "tests.system.test_panel_dashboards": 8,
    "tests.system.test_panel_tabs": 8,
    "tests/core/messages/test_log_held.py": 8,
    "quickstart": 7,
    "tests.system.test_frontends": 7,
    "tests.system.test_warm_kernel": 7,
    "exploring_an_api": 6,
    "tests/capture/analysis/test_plot.py": 6,
    "tests/capture/test_load_hostile.py": 6,
    "tests/core/codecs/formats/test_json_slices.py": 6,
    "tests/project/test_troubleshooting.py": 6,
    "tests/view/test_html.py": 6,
    "build_your_own_server": 5,
    "tests.system.test_capture_kernel": 5,
    "tests.system.test_jupyter_server": 5,
    "tests.system.test_magic_lines": 5,
    "tests/core/connection/test_request.py": 5,
    "tests/core/messages/test_log_runs.py": 5,
    "tests/project/test_rings.py": 5,
}
"""How long a group takes, about, where its number of tests doesn't tell: half of that in a whole run."""
A_SECOND = 20
"""Tests of other groups."""


class Spread(LoadScopeScheduling):
    """Give whole groups of tests to the workers: those of an xdist_group, and of each other module.

    A module's tests share servers and programs, so it is run in one process. The first worker begins with the
    quick modules, the others with what starts kernels and browsers: a mistake is told soon, and a worker that
    waits for a kernel leaves its core to one that computes; so there are two workers for each core. On both
    sides the longest comes first, so that the last ones are short, and no core is idle at the end.
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
        scope = max(scopes, key=self._seconds)
        unit = self.workqueue.pop(scope)
        self.assigned_work[node][scope] = unit
        node.send_runtest_some([self._places[nodeid] for nodeid, done in unit.items() if not done])

    def _seconds(self, scope: str) -> float:
        return SECONDS.get(scope, len(self.workqueue[scope]) / A_SECOND)


def group_of(nodeid: str) -> str:
    """Return the xdist_group that pytest-xdist has written into a test's id, or ""."""
    return nodeid[nodeid.rfind("@") + 1 :] if nodeid.rfind("@") > nodeid.rfind("]") else ""
