"""Every door through which a secret comes in: a connection that fails shows it nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.canary import Canary, Watched, watched
from tests.support.servers import dead_port

pytestmark = pytest.mark.kernel


class Door(NamedTuple):
    """How a secret comes in.

    Attributes:
        options: What stands on a line of %ws besides the server; ``LITERAL`` is the secret itself.
        keywords: The same for `ipyws.connect`.
        path: What follows the server in the URL of the line.
        address: What follows it in Python: an expression.
        server: Whom to dial instead of nobody.
        first: What the notebook does before.
    """

    options: str = ""
    keywords: str = ""
    path: str = ""
    address: str = "''"
    server: str = ""
    first: str = ""


DOORS = {
    "authorization": Door(
        "-H 'Authorization: Bearer {{canary}}'", "headers={'Authorization': 'Bearer ' + canary}"
    ),
    "authorization in the source": Door(
        "-H 'Authorization: Bearer LITERAL'", "headers={'Authorization': 'Bearer LITERAL'}"
    ),
    "key": Door("-H 'X-Api-Key: {{canary}}'", "headers=[('X-Api-Key', canary)]"),
    "cookie": Door("-H 'Cookie: a=b; sid={{canary}}'", "headers={'cookie': f'a=b; sid={canary}'}"),
    "plain header from the environment": Door(
        "-H 'X-Plain: {{env.CANARY}}'", "headers={'X-Plain': ipyws.secret(os.environ['CANARY'])}"
    ),
    "plain header": Door(
        "-H 'X-Plain: a {{ipyws.secret(canary)}}'", "headers={'X-Plain': f'a {ipyws.secret(canary)}'}"
    ),
    "query": Door(path="/?a=b&token={{canary}}", address="f'/?a=b&token={canary}'"),
    "query in the source": Door(path="/?access_token=LITERAL", address="'/?access_token=LITERAL'"),
    "path": Door(path="/{{env.CANARY}}/x", address="f'/{ipyws.secret(canary)}/x'"),
    "auth": Door("--auth user:{{canary}}", "auth=('user', canary)"),
    "auth by a key": Door("--auth {{canary}}:", "auth=(canary, '')"),
    "subprotocol": Door("-s base64url.bearer.{{canary}}", "protocols=['base64url.bearer.' + canary]"),
    "subprotocol after its name": Door("-s bearer -s {{canary}}", "protocols=['bearer', canary]"),
    "proxy": Door("--proxy http://u:{{canary}}@127.0.0.1:1", "proxy=f'http://u:{canary}@127.0.0.1:1'"),
    "proxy by a key": Door("--proxy http://{{canary}}:@127.0.0.1:1", "proxy=f'http://{canary}:@127.0.0.1:1'"),
    "proxy of the environment": Door(
        server="ws://host.invalid", first="os.environ['https_proxy'] = f'http://u:{canary}@127.0.0.1:1'"
    ),
}
# Where no rule of HTTP forbids it: so long that a traceback cuts it, and spelled in as many ways as can be.
AWKWARD = dict.fromkeys(
    ("plain header from the environment", "plain header", "auth", "authorization"), "\"'\\ %&" * 40
)

WAYS = {
    "%ws": "%ws {server}{door.path} {door.options}",
    "%%ws": "%%ws {server}{door.path} {door.options}\nhello",
    "Python": "ipyws.connect('{server}' + {door.address}, {door.keywords})",
}


@pytest.fixture(scope="module")
def kernel() -> Iterator[Watched]:
    with watched() as kernel:
        yield kernel


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("door", DOORS)
def test_a_failed_connection_shows_no_secret(kernel: Watched, door: str, way: str) -> None:
    canary = Canary(AWKWARD.get(door, "-"))
    with dead_port() as port:
        kernel.hold(canary)
        kernel.run(DOORS[door].first)
        server = DOORS[door].server or f"ws://127.0.0.1:{port}"
        cell = WAYS[way].format(server=server, door=DOORS[door]).replace("LITERAL", canary.value)
        failed = kernel.run(cell)
        traceback = kernel.traceback()
    assert failed.ename == "ConnectError", failed.traceback
    assert ("proxy" in failed.evalue) is ("proxy" in door), failed.evalue
    assert len(traceback) > 1
    assert canary.found_in(kernel.shown()) == []
