"""What a type checker must refuse: each line that is wrong names the error."""

from __future__ import annotations

import ipyws
import ipyws.graphql


async def wrong(client: ipyws.Client, coroutine: ipyws.AsyncClient) -> None:
    client.send(3.5j)  # expect: arg-type
    client.recv(timeout=["1s"])  # expect: arg-type
    client.close("1000")  # expect: arg-type
    client.log.filter(direction="sideways")  # expect: arg-type
    client.answer()  # expect: attr-defined
    coroutine.recv().json()  # expect: attr-defined
    text: str = client.ping()  # expect: assignment
    ipyws.connect()  # expect: call-arg
    ipyws.connect("ws://a.example", hedaers={})  # expect: arg-type
    ipyws.connect("ws://a.example", dial_timeout=["1s"])  # expect: arg-type
    ipyws.connect_async("ws://a.example", keepalive="ping")  # expect: arg-type
    ipyws.graphql.connect("ws://a.example", None, insecure="yes")  # expect: arg-type
    ipyws.serve(kind=3)  # expect: arg-type
    print(text)
