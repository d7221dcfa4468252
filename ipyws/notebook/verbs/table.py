"""The verbs of ``%ws`` and what each takes: parser, help and completion follow from this table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ipyws.core.constants import SERVER_KINDS
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Flag, Parsed
from ipyws.notebook.verbs import files, pasting, plot, policing, rules, spec, verbs, words
from ipyws.notebook.verbs.flags import connect_flags, number, room
from ipyws.snippets.programs import FORMS
from ipyws.text.numbers import read_whole

VAR = Flag(("-o",), "store the result in this variable", "VAR")
RAW = Flag(("--raw",), "leave {{ }} as it stands")
CONNECTION = Flag(("-c", "--connection"), "which connection (default: the current one)", "NAME")


class Verb(NamedTuple):
    """A verb of ``%ws``.

    Attributes:
        name: As it is written.
        form: What follows it.
        about: What it does, in a line.
        flags: Its options, beside ``-o VAR``.
        run: Does it and returns the result.
        words: Least and most number of words that are not options; before a payload, how many stand there.
        rest: Whether the line ends in a payload.
        command: Whether the line is a command of the program that the verb is called after; it has its flags.
        values: Whether a name and arguments are what stands beside the options.
        more: Finds further options, which depend on the connection that a line is about.
        in_dialects: Gives the options that it has in dialects, by their names.
        examples: Lines as they may be written, for the help.
    """

    name: str
    form: str
    about: str
    flags: tuple[Flag, ...]
    run: Callable[[Session, Parsed], Any]
    words: tuple[int, int] = (0, 0)
    rest: bool = False
    command: bool = False
    values: bool = False
    more: Callable[[Session, str], tuple[Flag, ...]] = lambda session, line: ()
    in_dialects: Callable[[], dict[str, tuple[Flag, ...]]] = dict
    examples: tuple[str, ...] = ()


_PAYLOAD_FLAGS = (
    Flag(("--text",), "send as text, JSON or not"),
    Flag(("--binary",), "send the text as a binary message"),
    Flag(("--hex",), "the payload is bytes in hex"),
    Flag(("--base64",), "the payload is bytes in base64"),
    Flag(("--json",), "the payload is a Python expression, sent as JSON"),
    Flag(("--file",), "the payload is the path of a file, sent as binary"),
)

_COMMANDS = (
    (
        "curl",
        "'https://…' [its options]",
        ("%ws curl 'https://example.com/' -H 'Authorization: Bearer {{env.TOKEN}}'",),
    ),
    ("wscat", "-c URL [its options]", ("%ws wscat -c wss://example.com/stream -s chat -x hello",)),
    ("websocat", "URL [its options]", ("%ws websocat -H='X-Team: a' wss://example.com/stream",)),
)

_PATIENCE = Flag(("--timeout",), "how long the server's answer may take (default 10s)", "DURATION")

_RULE_FLAGS = (
    Flag(("--text",), "send as text, JSON or not"),
    Flag(("--hex",), "the payload is bytes in hex"),
    Flag(("--base64",), "the payload is bytes in base64"),
)

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "connect",
            "URL-or-saved-name [options]",
            "open a connection and show it live",
            (*connect_flags(), RAW),
            verbs.connect,
            (1, 1),
            examples=(
                "%ws wss://example.com/ --as prices -H 'Authorization: Bearer {{env.TOKEN}}'",
                "%ws {{url}} -s graphql-transport-ws --reconnect on --record session.jsonl",
            ),
        ),
        *(
            Verb(
                tool,
                form,
                f"connect as this {tool} command would",
                (),
                pasting.connect_as(tool),
                rest=True,
                command=True,
                examples=examples,
            )
            for tool, form, examples in _COMMANDS
        ),
        Verb(
            "send",
            "[options] PAYLOAD",
            "send the rest of the line as a message",
            (CONNECTION, *_PAYLOAD_FLAGS, RAW),
            verbs.send,
            rest=True,
            examples=(
                "%ws send hello",
                '%ws send {"op": "subscribe", "id": {{number}}}',
                "%ws send -c prices --hex 00 ff 10",
            ),
        ),
        Verb(
            "recv",
            "[options]",
            "return the oldest unread message, waiting for it",
            (
                CONNECTION,
                Flag(("-n",), "how many; the result is a list then", "COUNT", read_whole),
                Flag(("--timeout",), "how long to wait (default 10s)", "DURATION"),
                Flag(
                    ("--where",),
                    "only messages for which this holds: Python over msg and json",
                    "EXPR",
                    verbatim=True,
                ),
                Flag(("--new",), "ignore messages that have already arrived"),
            ),
            verbs.recv,
            examples=(
                "message = %ws recv",
                '%ws recv -n 3 --timeout 30s --where \'json["type"] == "tick"\' -o ticks',
            ),
        ),
        Verb(
            "ping",
            "[options] [DATA]",
            "send a ping and time the pong",
            (CONNECTION, Flag(("--timeout",), "how long the pong may take", "DURATION")),
            verbs.ping,
            rest=True,
        ),
        Verb(
            "every",
            "[options] DURATION PAYLOAD",
            "send the rest of the line at intervals",
            (CONNECTION, *_RULE_FLAGS, RAW),
            rules.every,
            (1, 1),
            rest=True,
            examples=('%ws every 20s {"op": "ping"}', "%ws every 1m {{time.time()}}"),
        ),
        Verb(
            "reply",
            "[options] EXPR PAYLOAD",
            "answer each message for which EXPR holds with the rest of the line",
            (CONNECTION, *_RULE_FLAGS, RAW),
            rules.reply,
            (1, 1),
            rest=True,
            examples=(
                '%ws reply \'json["op"] == "ping"\' {"op": "pong"}',
                '%ws reply \'"ping" in json\' {"pong": {{json["ping"]}}}',
            ),
        ),
        Verb(
            "rules",
            "[options] [NUMBER…]",
            "list what is sent automatically, or stop it",
            (CONNECTION, Flag(("--stop",), "stop the rules of these numbers, or all")),
            rules.rules,
            (0, 100),
            examples=("%ws rules", "%ws rules --stop 2"),
        ),
        Verb(
            "close",
            "[NAME] [options]",
            "close a connection",
            (
                Flag(("--all",), "close every connection"),
                Flag(("--code",), "close code (default 1000)", "CODE", read_whole),
                Flag(("--reason",), "up to 123 bytes", "TEXT"),
            ),
            verbs.close,
            (0, 1),
            examples=("%ws close prices --code 4000 --reason 'that is all'",),
        ),
        Verb(
            "call",
            "NAME [ARGUMENT…] [options]",
            "ask the server for something in the connection's dialect, and return its reply",
            (CONNECTION, _PATIENCE, RAW),
            words.call,
            (1, 1),
            values=True,
            more=words.MORE["call"],
            in_dialects=partial(words.flags_in_dialects, "call"),
            examples=(
                "%ws call subtract 42 23 -o difference",
                '%ws call create {"name": "ada"} --timeout 2s',
            ),
        ),
        Verb(
            "emit",
            "NAME [ARGUMENT…] [options]",
            "tell the server something in its dialect, without a reply",
            (CONNECTION, _PATIENCE, RAW),
            words.emit,
            (1, 1),
            values=True,
            more=words.MORE["emit"],
            in_dialects=partial(words.flags_in_dialects, "emit"),
            examples=('%ws emit news {"headline": "sunny"}',),
        ),
        Verb(
            "subscribe",
            "TOPIC [ARGUMENT…] [options]",
            "subscribe to a topic in the connection's dialect, and return a channel of its messages",
            (
                CONNECTION,
                Flag(("-n",), "return this many values, then unsubscribe", "COUNT", read_whole),
                _PATIENCE,
                RAW,
            ),
            words.subscribe,
            (1, 1),
            values=True,
            more=words.MORE["subscribe"],
            in_dialects=partial(words.flags_in_dialects, "subscribe"),
            examples=("%ws subscribe sensors/# -o readings", "%ws subscribe /topic/prices -n 3"),
        ),
        Verb(
            "publish",
            "TOPIC PAYLOAD [options]",
            "publish on a topic in the connection's dialect",
            (CONNECTION, _PATIENCE, RAW),
            words.publish,
            (1, 1),
            values=True,
            more=words.MORE["publish"],
            in_dialects=partial(words.flags_in_dialects, "publish"),
            examples=("%ws publish sensors/kitchen 21.5", '%ws publish /topic/news {"headline": "sunny"}'),
        ),
        Verb(
            "panel",
            "[NAME] [options]",
            "open the panel on a connection; * shows all of them",
            (
                Flag(("--read-only",), "only show, filter and copy"),
                Flag(("--no-templates",), "send what is typed there as it stands, {{…}} and all"),
            ),
            verbs.panel,
            (0, 1),
        ),
        Verb("ls", "", "list the connections", (), verbs.ls),
        Verb("use", "NAME", "make a connection the current one", (), verbs.use, (1, 1)),
        Verb(
            "log",
            "[NAME] [options]",
            "show what was sent and received",
            (
                CONNECTION,
                Flag(("--tail",), "how many (default 50)", "COUNT", read_whole),
                Flag(("--in",), "only what came"),
                Flag(("--out",), "only what was sent"),
                Flag(("--control",), "only control frames and heartbeats, which are folded otherwise"),
                Flag(("--raw",), "payloads as they came, not decoded"),
                Flag(("--frames",), "frames as they were on the wire, where the option wire kept them"),
                Flag(("--grep",), "only what this regular expression finds", "RE"),
                Flag(
                    ("--where",),
                    "only messages for which this holds: Python over msg and json",
                    "EXPR",
                    verbatim=True,
                ),
                Flag(("--json",), "as lines of JSON, for programs"),
                Flag(("--max",), "most bytes of JSON in all (default 4kB)", "SIZE", room),
            ),
            verbs.log,
            (0, 1),
            examples=(
                "%ws log prices --tail 10 --in --grep BTC",
                '%ws log --where \'json["type"] == "error"\'',
                "%ws log --json --max 2kB",
                "%ws log --frames",
            ),
        ),
        Verb(
            "plot",
            "[options] EXPR [by EXPR] [--last DURATION]",
            "draw what comes as a chart that ticks",
            (
                CONNECTION,
                Flag(("--last",), "how much of the past is shown; all of it unless given", "DURATION"),
            ),
            plot.plot,
            rest=True,
            examples=(
                '%ws plot json["value"] by json["symbol"] --last 1m',
                '%ws plot {"bid": json["bid"], "ask": json["ask"]}',
            ),
        ),
        Verb(
            "save",
            "FILE [options]",
            "save the messages to a file: .jsonl, .har, .parquet, .js for k6, .py for Locust",
            (
                CONNECTION,
                Flag(("--redact",), "hide the values of this JSON key; may be repeated", "KEY", many=True),
                Flag(
                    ("--columns",),
                    "for Parquet: places in the values that become columns; may be repeated",
                    "PATH,…",
                    many=True,
                ),
                Flag(("--overwrite",), "replace also a file that is no capture of ipyws"),
            ),
            files.save,
            (1, 1),
            examples=("%ws save session.har --redact password --redact token",),
        ),
        Verb(
            "copy",
            f"[{'|'.join(FORMS)}] [options]",
            "print the connection and what was last sent as code or as a command",
            (CONNECTION,),
            pasting.copy,
            (0, 1),
            examples=("%ws copy curl", "program = %ws copy python -c prices"),
        ),
        Verb(
            "replay",
            "FILE [options]",
            "send the messages of a capture again",
            (
                CONNECTION,
                Flag(("--timed",), "at the recorded times (the default)"),
                Flag(("--fast",), "as fast as the server reads"),
                Flag(("--lockstep",), "each send waits for the recorded replies, which are compared"),
                Flag(("--timeout",), "how long lockstep waits for a reply (default 10s)", "DURATION"),
                Flag(("--anywhere",), "to another URL than the recorded one, too"),
                Flag(("--env",), "environment variable that may be sent", "NAME", many=True),
                Flag(("--recording",), "which connection of the file, from 1", "NUMBER", read_whole),
            ),
            files.replay,
            (1, 1),
            examples=("%ws replay session.jsonl --lockstep",),
        ),
        Verb(
            "spec",
            "[FILE|cell OPERATION]",
            "list what a contract says, or write a cell for one of its operations",
            (CONNECTION, Flag(("--file",), "the document, if not the connection's", "FILE")),
            spec.spec,
            (0, 2),
            examples=(
                "%ws spec api.yaml",
                "%ws spec cell subscribe",
            ),
        ),
        Verb(
            "policy",
            "[check URL|only RULE…|deny RULE…]",
            "show, explain or narrow what may be connected to",
            (Flag(("--save",), "write it to ipyws.toml for this notebook"),),
            policing.policy,
            (0, 100),
            examples=(
                "%ws policy check wss://api.example.com/",
                "%ws policy only wss://*.example.com/stream/* --save",
                "%ws policy deny wss://*.internal.example.com",
            ),
        ),
        Verb(
            "serve",
            "KIND | --replay FILE | --spec FILE [options]",
            f"start a demo server on this machine: {', '.join(SERVER_KINDS)}",
            (
                Flag(("--replay",), "play a capture in place of a kind", "FILE"),
                Flag(("--speed",), "divide the recorded gaps by this; inf leaves none", "NUMBER", number),
                Flag(("--spec",), "keep to a contract in place of a kind", "FILE"),
                Flag(("--port",), "where to listen (default: a free port)", "PORT", read_whole),
                Flag(("--unix",), "the Unix socket to listen at, in place of a port", "PATH"),
                Flag(("--stop",), "stop the server of that kind, or all"),
            ),
            verbs.serve,
            (0, 1),
            examples=(
                "%ws serve prices -o server",
                "%ws serve --replay session.har --speed 10",
                "%ws serve --stop",
            ),
        ),
    )
}
