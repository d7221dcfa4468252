"""Saving what narrows a kernel: the file means the same, and all that stood in it stays as it was."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyws import errors
from ipyws.config.current import CURRENT
from ipyws.config.writer import save
from ipyws.policy.layer import Layer
from ipyws.policy.rule import Rule, read_rule
from ipyws.policy.toml import MAX_SIZE
from ipyws.policy.url import parse
from tests.support.policy import Place, is_root, place

URLS = [
    f"{scheme}://{host}{path}"
    for scheme in ("ws", "wss")
    for host in (
        "a.example.com",
        "b.example.com",
        "x.a.example.com",
        "127.0.0.1:8080",
        "localhost",
        "10.0.0.1",
        "8.8.8.8",
    )
    for path in ("", "/stream/1")
] + ["ws://169.254.169.254", "ws://0.0.0.0", "nonsense"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        made.project('{"metadata": {}}', "x.ipynb")
        monkeypatch.setenv("IPYWS_NOTEBOOK", str(made.folder / "x.ipynb"))
        yield made


def only(*urls: str) -> tuple[Rule, ...]:
    return tuple(read_rule("allow", url) for url in urls)


def deny(*urls: str) -> tuple[Rule, ...]:
    return tuple(read_rule("deny", url) for url in urls)


def decided() -> list[bool]:
    """Return what the policy of now says to each of the URLs, and to what a name may lead to."""
    policy = CURRENT.policy()
    addresses = ("127.0.0.1", "10.0.0.1", "8.8.8.8")
    return [
        *(bool(policy.decide(url)) for url in URLS),
        *(bool(policy.decide_address(url, address)) for url in URLS for address in addresses),
        bool(policy.decide_insecure()),
        bool(policy.decide_proxy(parse("ws://a.example.com"))),
    ]


def narrowed(rules: tuple[Rule, ...], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return what is decided in a kernel that was narrowed by the rules."""
    with monkeypatch.context() as change:
        change.setattr(CURRENT, "_kernel", CURRENT.kernel())
        CURRENT.narrow(Layer("kernel", insecure_tls=True, proxy=True, addresses=None, rules=rules))
        return decided()


FILES = {
    "none": None,
    "empty table": "[notebooks]\n",
    "other tables": '# mine\n[policy]  # all\nconnect = "allow"\n\n[connections.p]\nurl = "ws://p" # here\n',
    "other notebook": '[notebooks."y.ipynb"]\ndefault = "deny"\n',
    "policy of its own": '[notebooks."x.ipynb".policy]\nmax_message = "1MB" # one\n\n[policy]\n',
    "keys of its own": '[notebooks."x.ipynb"]\n# say\nmax_message  =  "1MB"\n\n[policy]\nproxy="allow"\n',
    "rules of its own": (
        '[notebooks."x.ipynb".policy]\n[[notebooks."x.ipynb".policy.rules]]\neffect = "deny" # no\n'
        'url = "ws://b.example.com"\n\n[policy]\nconnect="allow"\n'
    ),
    "rules beside keys": '[[notebooks."x.ipynb".rules]]\nurl = "ws://b.example.com"\neffect = "deny"\n',
    "array": '[notebooks."x.ipynb".policy]\nrules = [{effect = "deny", url = "ws://b.example.com"}] # so\n',
    "long array": (
        '[notebooks."x.ipynb"]\nrules = [\n  { effect="deny", url="ws://b.example.com" }, # b\n]\n'
    ),
    "empty array": '[notebooks."x.ipynb"]\nrules = []\nproxy = "allow"\n',
    "dotted": 'notebooks."x.ipynb".policy.max_message = "1MB" # dots\n',
    "dotted below": '[notebooks]\n"x.ipynb".policy.max_message = "1MB"\n[policy]\nconnect = "allow"\n',
    "dotted keys": '[notebooks]\n"x.ipynb".max_message = "1MB"\n[policy]\nconnect = "allow"\n',
    "inline": '[notebooks]\n"x.ipynb" = {max_message = "1MB"}\n# end\n',
    "inline policy": '[notebooks."x.ipynb"]\npolicy = {max_message = "1MB"}\n# end\n',
    "all inline": 'notebooks = {"x.ipynb" = {policy = {max_message = "1MB"}}} # one line\n',
    "inline other": 'notebooks = {"y.ipynb" = {connect = "deny"}} # {connections\n',
    "dotted other": '[notebooks]\n"y.ipynb".policy.connect = "deny"\n[policy]\nconnect = "allow"\n',
    "inline connections": 'notebooks = {"x.ipynb" = {connections = {p = {url = "ws://p"}}}}\n',
    "connections": '[notebooks."x.ipynb".connections.p]\nurl = "ws://p"\n\n[connections.q]\nurl = "ws://q"\n',
    "no newline": '[policy]\nconnect = "allow"',
    "strange strings": "[connections.'p']\nurl = '''ws://p'''\nheaders = {\"X-\\u0041\" = \"a\\tb\"}\n",
}


@pytest.mark.parametrize(
    "rules", [only("ws://a.example.com", "wss://*.a.example.com/stream/*"), deny("ws://a.example.com")]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_file_means_what_the_kernel_was_narrowed_to_and_keeps_its_lines(
    here: Place, monkeypatch: pytest.MonkeyPatch, text: str | None, newline: str, rules: tuple[Rule, ...]
) -> None:
    path = here.folder / "ipyws.toml"
    old = (text or "").replace("\n", newline)
    if text is not None:
        here.project(old)
    before, wanted = decided(), narrowed(rules, monkeypatch)
    assert wanted != before
    assert save(rules) == path
    assert decided() == wanted
    new = path.read_bytes().decode()
    kept = iter(new.split(newline))
    inline = "{max_message" in old or "{connections" in old or "[{" in old or "[]" in old
    assert inline or all(line in kept for line in old.split(newline) if line)
    assert new.replace("\r\n", "").count("\n") == (0 if newline == "\r\n" and text else new.count("\n"))


def test_only_the_line_with_the_rules_changes_where_they_stand_in_it(here: Place) -> None:
    for name in ("array", "long array", "inline", "inline policy", "all inline"):
        old = FILES[name]
        assert old is not None
        path = here.project(old)
        save(deny("ws://a.example.com"))
        new = path.read_text()
        before, after = old.splitlines(), new.splitlines()
        changed = [line for line in before if line not in after]
        assert len(changed) <= 1, name
        assert all("rules" in line or "max_message" in line for line in changed), name


def test_new_file_is_one_that_others_may_read(here: Place) -> None:
    path = save(only("ws://a.example.com"))
    assert tomllib.loads(path.read_text())["notebooks"]["x.ipynb"]["policy"]["rules"] == [
        {"effect": "allow", "url": "ws://a.example.com"}
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert sorted(entry.name for entry in here.folder.iterdir()) == ["ipyws.toml", "x.ipynb"]


def test_mode_of_a_file_stays(here: Place) -> None:
    path = here.project("[policy]\n")
    path.chmod(0o640)
    save(deny("ws://a.example.com"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_byte_order_mark_stays(here: Place) -> None:
    path = here.project("\ufeff[policy]\n")
    save(deny("ws://a.example.com"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[policy]\n")
    assert not CURRENT.policy().decide("ws://a.example.com")


def test_link_stays_a_link_and_what_it_leads_to_is_changed(here: Place) -> None:
    target = here.write(here.folder.parent / "elsewhere" / "shared.toml", "# shared\n[policy]\n")
    link = here.folder / "ipyws.toml"
    link.symlink_to(target)
    assert save(deny("ws://a.example.com")) == target
    assert link.is_symlink()
    assert target.read_text().startswith("# shared\n[policy]\n")
    assert not CURRENT.policy().decide("ws://a.example.com")


@pytest.mark.parametrize("content", ["", " \n", "[net]\ngit-fetch-with-cli = true\n"])
def test_link_to_what_says_nothing_of_ipyws_is_not_followed(here: Place, content: str) -> None:
    target = here.write(here.folder.parent / "elsewhere" / "config.toml", content)
    (here.folder / "ipyws.toml").symlink_to(target)
    refused(deny("ws://a.example.com"))
    assert target.read_text() == content


def test_what_is_saved_twice_stands_there_once(here: Place) -> None:
    path = save(only("ws://a.example.com"))
    once = path.read_bytes()
    save(only("ws://a.example.com"))
    assert path.read_bytes() == once
    save(deny("ws://a.example.com/x"))
    assert path.read_text().count("effect") == 2


def refused(rules: tuple[Rule, ...]) -> errors.InvalidError:
    with pytest.raises(errors.InvalidError) as caught:
        save(rules)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        '[[notebooks."x.ipynb".rules]]\neffect = "allow"\nurl = "ws://b.example.com"\n',
        '[notebooks."x.ipynb".policy]\nrules = [{effect = "allow", url = "ws://b.example.com"}]\n',
        '[notebooks."x.ipynb"]\ndefault = "allow"\n',
        '[notebooks."x.ipynb"]\ndefault = "deny"\n',
    ],
)
def test_file_that_says_already_what_else_is_allowed_is_not_widened(
    here: Place, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    path = here.project(text)
    assert "by hand" in refused(only("ws://a.example.com")).hint
    assert path.read_text() == text
    wanted = narrowed(deny("ws://b.example.com/x"), monkeypatch)
    save(deny("ws://b.example.com/x"))
    assert decided() == wanted


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[policy",
            "[polcy]\n",
            "notebooks = 3\n",
            "[notebooks]\n'x.ipynb' = 3\n",
            '[notebooks."x.ipynb"]\nrules = 3\n',
        ),
        *(
            '[notebooks."x.ipynb"]\npolicy = 3\n',
            "[[notebooks]]\nx = 1\n",
            '[notebooks."x.ipynb"]\nconect = "deny"\n',
        ),
        *('[notebooks."x.ipynb"]\nrules = [3]\n', '[notebooks."x.ipynb"]\nrules = [{effect = "deny"}]\n'),
        *(b"\xff\xfe", "[policy]\na = 1\na = 2\n"),
    ],
)
def test_file_that_is_broken_stays_as_it_is(here: Place, text: str | bytes) -> None:
    path = here.project(text)
    before = path.read_bytes()
    assert str(path) in refused(deny("ws://a.example.com")).message
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in here.folder.iterdir()) == ["ipyws.toml", "x.ipynb"]


def test_file_that_would_become_too_large_to_be_read_stays_as_it_is(here: Place) -> None:
    text = "[policy]\n#" + "x" * (MAX_SIZE - 20)
    path = here.project(text)
    assert str(path) in refused(deny("ws://a.example.com")).message
    assert path.read_text() == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "link to nowhere"])
def test_what_is_no_file_is_not_replaced(here: Place, kind: str) -> None:
    path = here.folder / "ipyws.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("ipyws.toml" if kind == "loop" else "nowhere.toml")
    before = path.lstat()
    assert str(path) in refused(deny("ws://a.example.com")).message
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert len(list(here.folder.iterdir())) == 2


@pytest.mark.skipif(is_root, reason="root writes everywhere")
def test_folder_that_may_not_be_written_keeps_its_file(here: Place) -> None:
    path = here.project("[policy]\n")
    here.folder.chmod(0o500)
    try:
        assert "can't be changed" in refused(deny("ws://a.example.com")).message
    finally:
        here.folder.chmod(0o700)
    assert path.read_text() == "[policy]\n"


def test_write_that_fails_leaves_the_old_file_and_nothing_else(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = here.project("[policy]\n")
    monkeypatch.setattr(os, "replace", full)
    assert "No space left" in refused(deny("ws://a.example.com")).message
    assert path.read_text() == "[policy]\n"
    assert sorted(entry.name for entry in here.folder.iterdir()) == ["ipyws.toml", "x.ipynb"]


def test_notebook_that_is_not_known_has_no_place_to_save_to(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IPYWS_NOTEBOOK")
    error = refused(deny("ws://a.example.com"))
    assert "IPYWS_NOTEBOOK" in error.hint
    assert not (here.folder / "ipyws.toml").exists()


def test_other_notebooks_of_the_folder_are_not_narrowed(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    save(only("ws://a.example.com"))
    assert not CURRENT.policy().decide("ws://b.example.com")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(here.project('{"metadata": {}}', "y.ipynb")))
    assert CURRENT.policy().decide("ws://b.example.com")
