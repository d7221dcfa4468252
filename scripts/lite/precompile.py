"""Run by `precompile.mjs` within the page's Python: archives of modules, with their bytecode beside them.

Bytecode names no time and is not checked against its source, as nothing changes in a page.
"""

from __future__ import annotations

import importlib.util as importing
import marshal
import sys
import warnings
import zipfile
from pathlib import PurePosixPath

_TESTS = {"tests", "test"}
_UNUSED = ("jedi/third_party/typeshed/stubs/", "jedi/third_party/django-stubs/")
"""What is known of packages that are not here: four thousand files, each unpacked at each start."""

_UNCHECKED = (0b01).to_bytes(4, "little")  # as PEP 552 has it: by a hash, which nobody compares
_LIBRARY = next(path for path in sys.path if path.endswith(".zip"))
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def compile_archive(plain: str, compiled: str) -> None:
    """Copy an archive, without tests, and with the bytecode of its modules.

    Args:
        plain: A wheel, or a zip file that modules are imported from.
        compiled: Where the copy goes.
    """
    imported = plain.endswith(".zip")  # without having been unpacked
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(compiled, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            path = PurePosixPath(entry.filename)
            if entry.is_dir() or _TESTS & set(path.parts[:-1]) or entry.filename.startswith(_UNUSED):
                continue
            data = source.read(entry)
            target.writestr(zipfile.ZipInfo(entry.filename, _SAME_TIME), data, zipfile.ZIP_DEFLATED)
            if path.suffix == ".py" and (code := bytecode(path, data, imported)):
                name = path.with_suffix(".pyc") if imported else cached(path)
                target.writestr(zipfile.ZipInfo(str(name), _SAME_TIME), code, zipfile.ZIP_DEFLATED)


def cached(path: PurePosixPath) -> PurePosixPath:
    """Return where the import system looks for the bytecode of a module that was unpacked."""
    return PurePosixPath(importing.cache_from_source(str(path)))


def bytecode(path: PurePosixPath, source: bytes, imported: bool) -> bytes | None:
    """Return the bytecode of a module; None for what is not of this Python, as templates are."""
    # What is not unpacked keeps this name, by which tracebacks find lines; else the import system mends it.
    where = f"{_LIBRARY}/{path}" if imported else str(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            code = compile(source, where, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return importing.MAGIC_NUMBER + _UNCHECKED + importing.source_hash(source) + marshal.dumps(code)
