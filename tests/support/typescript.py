"""The panel's scripts, checked by TypeScript: ``python -m tests.support.typescript``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.node import NODE, install

ROOT = Path(__file__).resolve().parents[2]
FRONT = ROOT / "ipyws" / "widget" / "front"
_OPTIONS = ("--checkJs", "--strict", "--noEmit", "--target", "es2023", "--lib", "es2023,dom,dom.iterable")


def main() -> int:
    """Return how the check ended; it prints what is wrong."""
    compiler = install(ROOT / "tests" / "typescript") / "node_modules" / "typescript" / "lib" / "tsc.js"
    files = [*sorted(FRONT.glob("*.js")), FRONT / "types.d.ts"]
    return subprocess.run([NODE, compiler, *_OPTIONS, *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
