"""A real bridge in a thread of this process, and the requests to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazeshift.bridge.server import BridgeServer, Settings, bind

TOKEN = "5e" * 32
DEADLINE_S = 60.0


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def split(self) -> tuple[Any, bytes]:
        (length,) = struct.unpack_from("<I", self.body)
        return json.loads(self.body[4 : 4 + length]), self.body[4 + length :]


class LiveBridge:
    """A running server; `call` and `binary` send well-formed requests, `raw` sends any bytes."""

    def __init__(self, **settings: Any) -> None:
        self._ready = threading.Event()
        self._settings = Settings(**{"token": TOKEN, "warm_up": False, **settings})
        self._failure: BaseException | None = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        if not self._ready.wait(DEADLINE_S):
            raise AssertionError(f"the bridge did not start: {self._failure}")

    def _serve(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self.server = BridgeServer(self._settings)
            with bind(0) as listener:
                self.address = listener.getsockname()
                self.port = self.address[1]
                await self.server.run(listener, self._ready.set)

        try:
            asyncio.run(main())
        except BaseException as error:
            self._failure = error
            raise

    def stop(self) -> None:
        if self.thread.is_alive():
            self._loop.call_soon_threadsafe(self.server.stop)
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()

    def headers(self, **changes: str | None) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "GazeShift-Protocol": "1",
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return {name: value for name, value in headers.items() if value is not None}

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, self.headers() if headers is None else headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def json(self, path: str, data: Any, **changes: str | None) -> Reply:
        headers = self.headers(Content_Type="application/json", **changes)
        return self.call("POST", path, json.dumps(data).encode(), headers)

    def binary(self, path: str, header: Any, *sections: np.ndarray, **changes: str | None) -> Reply:
        headers = self.headers(Content_Type="application/x-gazeshift", **changes)
        return self.call("POST", path, binary_body(header, *sections), headers)

    def raw(self, data: bytes) -> Reply:
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as connection:
            connection.sendall(data)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())


def binary_body(header: Any, *sections: np.ndarray) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + b"".join(one.tobytes() for one in sections)


def layout(pixels: np.ndarray) -> dict[str, Any]:
    height, width, channels = pixels.shape
    return {"width": width, "height": height, "channels": channels, "dtype": str(pixels.dtype)}


@contextmanager
def running(**settings: Any):
    bridge = LiveBridge(**settings)
    try:
        yield bridge
    finally:
        bridge.stop()
