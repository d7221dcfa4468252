"""The other end of a panel, without a browser: it speaks the protocol of widgets with a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.cells import ok
from tests.support.kernel import Kernel

VIEW = "application/vnd.jupyter.widget-view+json"

Content = dict[str, Any]


class Front:
    """A front end: it asks, and looks at what comes.

    Args:
        kernel: The kernel.
        model: The id of the panel's model.
        view: What it calls itself; without a name it looks at what comes for all.
    """

    def __init__(self, kernel: Kernel, model: str, view: str | None = None) -> None:
        self.kernel = kernel
        self.model = model
        self.view = view
        self._asked = 0

    def say(self, data: Any) -> None:
        """Send a message of whatever form."""
        self.kernel.request("comm_msg", {"comm_id": self.model, "data": data})

    def ask(self, type: str, **request: Any) -> int:
        self._asked += 1
        view = {} if self.view is None else {"view": self.view}
        content = {"type": type, "id": self._asked, **view, **request}
        self.say({"method": "custom", "content": content})
        return self._asked

    def got(self, type: str) -> list[Content]:
        contents = [
            message["content"]["data"].get("content")
            for message in list(self.kernel.iopub)
            if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == self.model
        ]
        found = [content for content in contents if content and content.get("type") == type]
        return [content for content in found if self.view in (None, content.get("view"))]

    def wait(self, type: str, holds: Callable[[Content], Any] = lambda _: True) -> Content:
        assert self.kernel.wait(lambda: any(map(holds, self.got(type)))), (type, self.got(type)[-3:])
        return next(content for content in self.got(type) if holds(content))

    def answer(self, type: str, **request: Any) -> Content:
        number = self.ask(type, **request)
        return self.wait("result", lambda result: result["id"] == number)


def opened(kernel: Kernel, code: str = "%ws panel") -> Front:
    result = ok(kernel, code)
    views = [display["data"][VIEW] for display in result.displays if VIEW in display["data"]]
    assert len(views) == 1
    return Front(kernel, views[0]["model_id"])
