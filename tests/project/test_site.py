"""The site of the docs builds without a warning, is complete against the code, and fetches nothing."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import ipyws
from ipyws import errors, graphql, policy
from ipyws.config.saved import read_saved
from ipyws.core.options.table import OPTIONS
from ipyws.notebook.verbs.flags import connect_flags
from ipyws.notebook.verbs.table import VERBS
from ipyws.policy.toml import read
from ipyws.script.grammar import DIRECTIVES
from tests.support.kernel import MINUTES, ROOT

pytestmark = pytest.mark.xdist_group("site")  # it is built once

CLASSES = [getattr(ipyws, name) for name in ipyws.__all__ if isinstance(getattr(ipyws, name), type)]
CALLED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
NOT_FOR_USERS = {
    *("ipyws.AsyncClient.open", "ipyws.Rule.begin", "ipyws.Rule.end"),
    *("ipyws.Capture.source", "ipyws.Capture.story"),  # for scripts that are written of it
}
LATER = {"canonical", "edit", "next", "prev", "search", "index", "author"}


class Page(HTMLParser):
    """What a page links to, loads and says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in CALLED and CALLED[tag] in found and found.get("rel") not in LATER:
            self.loaded.append(found[CALLED[tag]])

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """The pages of the site by their paths, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--fail-on-warning", "--nitpicky", "--keep-going", "--quiet"),
            *("-b", "html", "-d", folder / "doctrees", ROOT / "docs", folder / "html"),
        ],
        capture_output=True,
        text=True,
        timeout=MINUTES,
        cwd=ROOT,
    )
    assert (run.returncode, run.stderr) == (0, "")
    html = folder / "html"
    return {path.relative_to(html).as_posix(): Page(path) for path in html.rglob("*.html")}


def test_every_page_is_in_the_site(site: dict[str, Page]) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {page.as_posix() for page in pages} <= set(site)


def test_every_link_and_picture_leads_somewhere(site: dict[str, Page]) -> None:
    folder = site["index.html"].path.parent
    lost = []
    for page in site.values():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            known = site.get(target.relative_to(folder).as_posix()) if target.exists() else None
            if not target.exists() or (parts.fragment and known and parts.fragment not in known.places):
                lost.append(f"{page.path.name}: {link}")
    assert lost == []


def test_links_into_the_repository_name_what_it_has(site: dict[str, Page]) -> None:
    home = f"https://github.com/ipyws/ipyws/(blob|tree)/v{ipyws.__version__}/([^#]*)"
    found = {match[2] for page in site.values() for link in page.links if (match := re.match(home, link))}
    assert "benchmarks/README.md" in found
    assert [path for path in found if not (ROOT / unquote(path)).exists()] == []


def test_nothing_is_fetched_from_elsewhere(site: dict[str, Page]) -> None:
    for page in site.values():
        assert [url for url in page.loaded if urlsplit(url).netloc] == []
    styles = "".join(path.read_text("utf-8") for path in site["index.html"].path.parent.rglob("*.css"))
    assert "url(" in styles
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", styles) == []


@pytest.mark.parametrize("module", [ipyws, graphql, policy, errors], ids=lambda module: module.__name__)
def test_every_public_name_is_described(site: dict[str, Page], module: object) -> None:
    places = site["reference/api.html"].places | site["reference/errors.html"].places
    name: str = module.__name__  # type: ignore[attr-defined]
    described = {place.removeprefix("module-") for place in places}
    public = {f"{name}.{public}" for public in module.__all__}  # type: ignore[attr-defined]
    kinds = {f"{name}.{kind}" for kind in errors.Kind} if module is errors else set()
    assert public - kinds <= described
    assert {f"{name}.Kind.{kind}" for kind in errors.Kind if kinds} <= described


def is_described(page: Page, name: str) -> bool:
    """Tell whether a member has an entry of its own, or a line among the variables of its class."""
    variable = rf" {name.rpartition('.')[2]}( \([^–]*\))? – "
    return name in page.places or bool(re.search(variable, page.text))


def public_names(cls: type) -> set[str]:
    """Return what a class gives, that of its own bases included."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("ipyws")]
    return {name for base in own for name in vars(base) if not name.startswith("_")}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_method_of_a_public_class_is_described(site: dict[str, Page], cls: type) -> None:
    names = {f"ipyws.{cls.__name__}.{name}" for name in public_names(cls)}
    page = site["reference/api.html"]
    assert [name for name in names - NOT_FOR_USERS if not is_described(page, name)] == []


def test_what_a_client_can_do_an_asynchronous_one_can(site: dict[str, Page]) -> None:
    names = public_names(ipyws.Client) - {"async_client"}
    page = site["reference/api.html"]
    assert [name for name in names if not is_described(page, f"ipyws.AsyncClient.{name}")] == []


def test_every_option_is_described_in_its_spellings(site: dict[str, Page]) -> None:
    page = site["reference/options.html"]
    described = [
        place.removeprefix("confval-").replace("-", "_")
        for place in page.places
        if place.startswith("confval-")
    ]
    assert sorted(described) == sorted(option.name for option in OPTIONS)
    for option, flag in zip(OPTIONS, connect_flags(), strict=True):
        assert f"{', '.join(flag.names)} {flag.value}".rstrip() in page.text
        assert f"{option.about[1:]}. Values: {option.kind.values} Default: " in page.text


def test_what_the_page_of_options_says_of_files_is_so(site: dict[str, Page]) -> None:
    samples = {
        "log_bytes": "64kB",
        "record_size": "64kB",
        "read_limit": "64kB",
        "compression_threshold": "64kB",
        "ca": "x.pem",
        "proxy": "none",
        "ping_interval": "none",
    }
    for name, value in samples.items():
        text = f'url = "wss://example.com/"\n{name} = "{value}"'
        assert name in read_saved(read(text, "ipyws.toml"), "prices").options
    assert site["reference/options.html"].text.count('or text such as "64kB"') == 4


def test_every_verb_and_its_options_are_described(site: dict[str, Page]) -> None:
    page = site["reference/magics.html"]
    for verb in VERBS.values():
        assert verb.name in page.places
        assert f"%ws {verb.name} {verb.form}".rstrip() in page.text
        for flag in verb.flags if verb.name != "connect" else ():
            assert f"{', '.join(flag.names)} {flag.value}".rstrip() + f" {flag.about}" in page.text
        assert all(" ".join(example.split()) in page.text for example in verb.examples)


def test_every_directive_of_a_cell_is_described(site: dict[str, Page]) -> None:
    assert [word for word in DIRECTIVES if f"=== {word}" not in site["reference/magics.html"].text] == []


def test_every_error_stands_in_the_table_with_its_kind(site: dict[str, Page]) -> None:
    text = site["reference/errors.html"].text
    ours = (errors.WebSocketError, Exception)
    for name in errors.__all__:
        cls = getattr(errors, name)
        if isinstance(cls, type) and issubclass(cls, errors.WebSocketError):
            also = " ".join(base.__name__ for base in cls.__bases__ if base not in ours)
            assert f"{name} {cls.kind} {'yes' if cls.retryable else 'no'} {also}".rstrip() in text


def test_the_details_that_errors_carry_are_described() -> None:
    found = {
        (node.func.id, str(key.value))
        for path in (ROOT / "ipyws").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(errors, node.func.id)
        for word in node.keywords
        if word.arg == "details" and isinstance(word.value, ast.Dict)
        for key in word.value.keys
        if isinstance(key, ast.Constant)
    }
    assert ("ReplyError", "code") in found
    documented = {name: inspect.getdoc(getattr(errors, name)) or "" for name, _ in found}
    assert [(name, key) for name, key in found if f"\n    {key}: " not in documented[name]] == []


def test_every_notebook_is_in_the_list_of_lessons(site: dict[str, Page]) -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        links = [link for link in site["lessons.html"].links if link.endswith(f"notebooks/{path.name}")]
        assert {urlsplit(link).netloc for link in links} == {"github.com", "mybinder.org"}
