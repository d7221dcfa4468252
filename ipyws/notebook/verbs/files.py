"""What ``%ws save`` and ``%ws replay`` do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.runtime.client import Client
from ipyws.runtime.replay import replay as replay_on
from ipyws.view.format import byte_size

if TYPE_CHECKING:
    from ipyws.capture.capture import Capture
    from ipyws.capture.replay.report import Mode, Report


def save(session: Session, parsed: Parsed) -> Path:
    from ipyws.handover.writing import PROGRAMS, write

    client = session.client(parsed.take("connection"))
    columns = [path for given in parsed.take("columns", []) for path in given.split(",")]
    path = client.log.save(
        parsed.words[0],
        redact=parsed.take("redact", []),
        columns=columns,
        overwrite=parsed.take("overwrite", False),
    )
    evicted = client.log.evicted
    missing = f"; {evicted:,} older ones had been evicted from the log" if evicted else ""
    size = byte_size(path.stat().st_size)
    session.say(f"saved the messages of {client.name} to {path} ({size}){missing}")
    if path.suffix.lower() in PROGRAMS:
        for note in write(client.log, client.log.about, path.name, parsed.take("redact", [])).notes:
            session.say(note)
    return path


def replay(session: Session, parsed: Parsed) -> Report:
    from ipyws.capture.load import load
    from ipyws.capture.replay.report import Mode

    modes: list[Mode] = [mode for mode in get_args(Mode) if parsed.take(mode)]
    if len(modes) > 1:
        raise InvalidError(f"--{' and --'.join(modes)} are given together", hint="one of them is allowed")
    client = session.client(parsed.take("connection"))
    capture = load(parsed.words[0], parsed.take("recording"))
    if capture.note:
        session.say(f"{capture.path}: {capture.note}")
    report = _replay(session, client, capture, modes[0] if modes else "timed", parsed)
    session.say(repr(report), lines=True)
    if report.references:
        session.say(f"sent the values of {', '.join(report.references)}")
    if report.stopped is not None:
        raise report.stopped.within(f"replay of {capture.path}")
    return report


def _replay(session: Session, client: Client, capture: Capture, mode: Mode, parsed: Parsed) -> Report:
    since = client.log.total
    with session.progress(f"replaying {capture.path}") as tell:
        session.show(client, since)
        report = replay_on(
            client,
            capture,
            mode,
            anywhere=parsed.take("anywhere", False),
            env=parsed.take("env", []),
            timeout=parsed.take("timeout", "10s"),
            progress=lambda sent, total: tell(f"{sent:,} of {total:,} sent"),
        )
        session.linger(client, since)
    return report
