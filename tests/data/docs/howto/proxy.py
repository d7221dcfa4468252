"""Proxies, and servers behind them: `corporate-ca.pem` is what the system does not trust."""

import contextlib
import os
from pathlib import Path

from tests.support.proxy import connect_proxy, socks5_proxy
from tests.support.servers import dead_port, server
from tests.support.tls import Authority

for name in ("http", "https", "ws", "wss", "socks", "all", "no"):
    os.environ.pop(f"{name}_proxy", None)
    os.environ.pop(f"{name}_proxy".upper(), None)

keep = contextlib.ExitStack()
everyones, companys = Authority(Path("everyones")), Authority(Path("companys"))
os.environ["SSL_CERT_FILE"] = str(everyones.ca.absolute())
Path("corporate-ca.pem").write_bytes(companys.ca.read_bytes())
public = keep.enter_context(server(ssl=everyones.server("api.example.com")))
inspected = keep.enter_context(server(ssl=companys.server("api.example.com")))


def running(scheme, made):
    return f"{scheme}://127.0.0.1:{keep.enter_context(made).port}"


proxy = running("http", connect_proxy(public))
asking = running("http", connect_proxy(public, "ann:correct horse"))
forbidding = running("http", connect_proxy(public, status="403 Forbidden"))
inspecting = running("http", connect_proxy(inspected))
socks = running("socks5h", socks5_proxy(public))
off = f"http://127.0.0.1:{keep.enter_context(dead_port())}"
os.environ["PROXY_PASSWORD"] = "correct%20horse"
