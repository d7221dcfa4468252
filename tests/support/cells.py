"""Running cells in a real kernel, and saying what must come of them."""

from __future__ import annotations

from tests.support.kernel import SOON, Kernel, Result


def ok(kernel: Kernel, code: str, timeout: float = SOON) -> Result:
    """Run a cell that must succeed."""
    result = kernel.run(code, timeout)
    assert result.status == "ok", (code, result.traceback)
    return result


def fails(kernel: Kernel, code: str) -> Result:
    """Run a cell that must fail the way our errors do: one readable line, and a real error output."""
    result = kernel.run(code)
    assert result.status == "error", code
    assert len(result.traceback) == 1, result.traceback
    assert "\n" not in result.traceback[0]
    assert result.traceback[0].startswith(f"{result.ename}: ")
    return result


def value(kernel: Kernel, expression: str) -> str:
    """Return the repr of an expression's value."""
    return ok(kernel, f"print(repr(({expression})))").stdout.removesuffix("\n")
