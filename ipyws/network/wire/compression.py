"""permessage-deflate (RFC 7692) with a threshold: small messages are not worth deflating."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from websockets.extensions import ClientExtensionFactory, Extension
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame
from websockets.typing import ExtensionName, ExtensionParameter

from ipyws.core.constants import Compression


class _Thresholded(Extension):
    """An extension that leaves small outgoing messages as they are."""

    def __init__(self, inner: Extension, threshold: int) -> None:
        self.name = inner.name
        self.inner = inner
        self.threshold = threshold

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        self._start_again()
        return self.inner.decode(frame, max_size=max_size)

    def _start_again(self) -> None:
        """Inflate with a new window where the server has ended its stream (RFC 7692 section 7.2.3.4).

        The library would go on with the old one, and every later message would be empty.
        """
        inner = self.inner
        if not isinstance(inner, PerMessageDeflate) or inner.remote_no_context_takeover:
            return
        if inner.decoder.eof:
            inner.decoder = zlib.decompressobj(-inner.remote_max_window_bits)

    def encode(self, frame: Frame) -> Frame:
        # We never fragment, so that one frame is one message.
        return frame if len(frame.data) < self.threshold else self.inner.encode(frame)


class _Factory(ClientExtensionFactory):
    def __init__(self, inner: ClientExtensionFactory, threshold: int) -> None:
        self.name: ExtensionName = inner.name
        self._inner = inner
        self._threshold = threshold

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        return self._inner.get_request_params()

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> Extension:
        return _Thresholded(self._inner.process_response_params(params, accepted_extensions), self._threshold)


def offers(mode: Compression, threshold: int) -> list[ClientExtensionFactory] | None:
    """Return the extensions to offer, or None for none.

    Args:
        mode: Which kind of compression.
        threshold: Bytes from which a message is deflated.
    """
    if mode is Compression.DISABLED:
        return None
    alone = mode is Compression.NO_CONTEXT
    deflate = ClientPerMessageDeflateFactory(
        server_no_context_takeover=alone,
        client_no_context_takeover=alone,
        client_max_window_bits=True,
        # Half of zlib's default memory for about the same ratio on messages of this size.
        compress_settings={"memLevel": 5},
    )
    return [_Factory(deflate, threshold)]
