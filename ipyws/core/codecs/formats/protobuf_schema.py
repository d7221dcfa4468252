"""Types of Protocol Buffers: from a descriptor set, or from a ``.proto`` that is compiled without protoc."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ipyws.core.codecs.formats.schema_file import path_of, read_schema
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError, brief, suggestion
from ipyws.text.masking import mask
from ipyws.text.printable import visible

_SOURCE: Final = ".proto"
_PATIENCE: Final = 30.0  # seconds
_SHOWN: Final = 300
_SAID: Final = re.compile(r"(?P<place>:\d+:\d+)?: (?P<why>.+)")
_MAKES_ONE: Final = "protoc --include_imports --descriptor_set_out=FILE makes one"
_KNOWN: Final = (
    "any",
    "api",
    "duration",
    "empty",
    "field_mask",
    "source_context",
    "struct",
    "timestamp",
    "type",
    "wrappers",
)


def find_type(file: str, name: str, folder: Path) -> Any:
    """Return the class of the messages of a type.

    Args:
        file: The path of a descriptor set, or of a ``.proto``.
        name: The type, with its package.
        folder: The one that a relative path starts from.

    Raises:
        InvalidError: A library is missing, the file can't be read or compiled, or it has no such type.
    """
    factory = library("google.protobuf.message_factory", "the codec protobuf", "protobuf")
    data = read_schema(file, folder, "protobuf")
    if file.endswith(_SOURCE):
        data = _compiled(file, folder)
    files = _files_in(data, file)
    pool = _pool_of(files, file)
    try:
        descriptor = pool.FindMessageTypeByName(name.removeprefix("."))
    except KeyError:
        names = sorted(_names_in(files))
        hint = suggestion(
            name, names, f"there are {', '.join(names)[:_SHOWN]}" if names else "it has no types"
        )
        raise InvalidError(f"{brief(file)} has no message type {brief(name)}", hint=hint) from None
    return factory.GetMessageClass(descriptor)


def _compiled(file: str, folder: Path) -> bytes:
    """Return the descriptor set of a ``.proto``, and of what it imports from its folder, or from ours."""
    if find_spec("grpc_tools") is None:
        what = "a .proto for the codec protobuf needs grpcio-tools, which is not installed"
        raise InvalidError(what, hint="pip install ipyws[codecs], or name a descriptor set")
    path = path_of(file, folder).absolute()
    with TemporaryDirectory() as home:
        target = Path(home, "set")
        command = [
            sys.executable,
            "-P",
            "-m",
            "grpc_tools.protoc",
            f"-I{path.parent}",
            f"-I{folder.absolute()}",
        ]
        command += ["--include_imports", f"--descriptor_set_out={target}", str(path)]
        try:
            run = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            why = "it takes too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            raise InvalidError(
                f"{brief(file)} can't be compiled: {why}", hint="name a descriptor set"
            ) from None
        if run.returncode or not target.is_file():
            raise _refused(file, path, run.stderr.decode(errors="replace"))
        return target.read_bytes()


def _refused(file: str, path: Path, said: str) -> InvalidError:
    """Return the error for what the compiler said first, with the file as it was written."""
    lines = [line for line in said.splitlines() if ".proto:" in line and ": warning:" not in line]
    line = lines[0] if lines else said
    found = _SAID.search(line)
    own = line.startswith((f"{path}:", f"{path.name}:"))
    where = file if own else f"{file}, in {Path(line.partition(':')[0]).name}"
    place, why = (found["place"] or "", found["why"]) if found else ("", line)
    return InvalidError(
        f"{visible(where)}{place} can't be compiled: {visible(mask(why))[:_SHOWN].rstrip('.')}",
        hint="imports are looked for in its folder, and in the working folder",
    )


def _files_in(data: bytes, file: str) -> dict[str, Any]:
    """Return the descriptors of a set by the names of their files."""
    descriptors = library("google.protobuf.descriptor_pb2", "the codec protobuf", "protobuf")
    try:
        files = descriptors.FileDescriptorSet.FromString(data).file
    except Exception:  # google.protobuf.message.DecodeError
        files = ()
    if not any(each.name for each in files):
        raise InvalidError(f"{brief(file)} is not a descriptor set", hint=_MAKES_ONE)
    return {each.name: each for each in files}


def _pool_of(files: dict[str, Any], file: str) -> Any:
    """Return what knows the types of a set: what a file imports comes before it."""
    pool = library("google.protobuf.descriptor_pool", "the codec protobuf", "protobuf").DescriptorPool()
    added: set[str] = set()
    waiting = list(reversed(files))
    entered: set[str] = set()
    while waiting:
        name = waiting[-1]
        missing = (
            [each for each in files[name].dependency if each not in added] if name not in entered else []
        )
        entered.add(name)
        for each in missing:
            if each not in files:
                files[each] = _well_known(each, name, file)
        waiting.extend(each for each in missing if each not in entered)
        if waiting[-1] != name:
            continue
        waiting.pop()
        if name not in added:
            _add(pool, files[name], file)
            added.add(name)
    return pool


def _add(pool: Any, descriptor: Any, file: str) -> None:
    try:
        pool.AddSerializedFile(descriptor.SerializeToString())
    except Exception as error:  # a set that no compiler has made
        what = (
            f"{brief(file)} is not a descriptor set that holds together: {visible(mask(str(error)))[:_SHOWN]}"
        )
        raise InvalidError(what, hint=_MAKES_ONE) from None


def _well_known(name: str, importer: str, file: str) -> Any:
    """Return the descriptor of a file that every library of protobuf has."""
    stem = name.removeprefix("google/protobuf/").removesuffix(_SOURCE)
    if stem not in _KNOWN or not name.startswith("google/"):
        what = f"{brief(file)} lacks {brief(name)}, which {brief(importer)} imports"
        raise InvalidError(what, hint=_MAKES_ONE)
    descriptors = library("google.protobuf.descriptor_pb2", "the codec protobuf", "protobuf")
    module = library(f"google.protobuf.{stem}_pb2", "the codec protobuf", "protobuf")
    return descriptors.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def _names_in(files: dict[str, Any]) -> list[str]:
    """Return the message types of a set, those of others within them aside."""
    return [
        f"{each.package}.{kind.name}".lstrip(".")
        for each in files.values()
        if not each.name.startswith("google/protobuf/")
        for kind in each.message_type
    ]
