"""The HTTP side of the bridge: guards, bodies, threads, idle end. Work itself is in `engine`."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web

from gazeshift import __version__
from gazeshift.bridge import messages
from gazeshift.bridge.engine import Answer, Engine
from gazeshift.bridge.failures import RequestError, status_of
from gazeshift.bridge.framing import join_body
from gazeshift.bridge.ports import ADDRESS, DEFAULT_PORTS
from gazeshift.bridge.routes import JSON_TYPE, Route, routes
from gazeshift.bridge.security import Caller, answer_challenge, check_address, check_caller
from gazeshift.errors import BridgeError, GazeShiftError
from gazeshift.schema import encode

_CHUNK = 1 << 20
_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Settings:
    """How the service behaves."""

    token: str
    """The secret that callers must send."""
    idle_s: float | None = 900.0
    """Seconds without a request after which the service ends; None for never."""
    stall_s: float = 10.0
    """Seconds without a byte after which a body is given up."""
    slowest_bytes_per_s: float = 1e6
    """A body gets the stall time plus its length at this pace, in all."""
    most_requests: int = 64
    """Requests that may be read, waiting or in work at once."""
    most_bytes: int = 2 << 30
    """Bytes of bodies that may be held at once; a single body is always taken."""
    warm_up: bool = True
    """Whether to open the networks before the first request."""


class BridgeServer:
    """The running service; `run` serves until it is stopped or idle.

    Parameters
    ----------
    settings
        How the service behaves.
    """

    def __init__(self, settings: Settings) -> None:
        self.instance = secrets.token_hex(8)
        self._settings = settings
        self._engine = Engine(__version__, self.instance)
        self._routes = {route.path: route for route in routes()}
        self._light = ThreadPoolExecutor(1, "bridge-light")
        # Rendering uses all cores by itself; a second picture at once would only cost memory.
        self._heavy = ThreadPoolExecutor(1, "bridge-heavy")
        self._stop = asyncio.Event()
        self._last_request_s = 0.0
        self._port = 0
        self._requests = 0
        self._bytes = 0

    async def run(self, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        """Serve on a bound socket until `stop`, a termination signal, or the idle time.

        Parameters
        ----------
        listener
            Bound to 127.0.0.1.
        on_ready
            Called once when requests are answered.
        """
        self._port = listener.getsockname()[1]
        application = web.Application(middlewares=[self._outer])
        for route in self._routes.values():
            application.router.add_route(
                route.method, route.path, self._handler(route), expect_handler=self._expect
            )
        runner = web.AppRunner(
            application,
            access_log=None,
            lingering_time=2.0,
            auto_decompress=False,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=256).start()
            self._watch_signals()
            self._touch()
            on_ready()
            if self._settings.warm_up:
                self._heavy.submit(self._warm_up)
            _log.info("listening on port %d", self._port)
            await self._until_stopped()
        finally:
            await runner.cleanup()
            for pool in (self._light, self._heavy):
                pool.shutdown(wait=False, cancel_futures=True)
            _log.info("stopped")

    def stop(self) -> None:
        """End the service; call it in the loop's thread."""
        self._stop.set()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.stop)
            except (NotImplementedError, RuntimeError, ValueError):
                # Windows' loop has none, and threads may not: Ctrl+C raises there by itself.
                return

    async def _until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        idle_s = self._settings.idle_s
        while not self._stop.is_set():
            left_s = None
            if idle_s is not None:
                left_s = self._last_request_s + idle_s - loop.time()
                if left_s <= 0.0 and not self._requests:
                    _log.info("idle for %g s", idle_s)
                    return
                left_s = max(left_s, 0.05)
            try:
                await asyncio.wait_for(self._stop.wait(), left_s)
            except asyncio.TimeoutError:
                continue

    def _touch(self) -> None:
        self._last_request_s = asyncio.get_running_loop().time()

    def _warm_up(self) -> None:
        try:
            self._engine.warm_up()
        except GazeShiftError as error:
            _log.warning("the networks cannot be opened: %s", error)

    async def _expect(self, request: web.Request) -> None:
        # A caller that will be refused is not asked for its body.
        try:
            self._guard(request)
        except RequestError:
            return
        if request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @web.middleware
    async def _outer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer every failure as JSON; the only place where errors become HTTP."""
        try:
            check_address(_caller(request), self._port)
            return await handler(request)
        except web.HTTPException as error:
            return _refusal(_routing_error(error))
        except GazeShiftError as error:
            return _refusal(error)
        except (ConnectionError, asyncio.IncompleteReadError):
            _log.info("%s: the caller went away", _named(request))
            # Nobody reads this; raising would make aiohttp log a caller's habit as our failure.
            return web.Response(status=400)
        except Exception:  # the bridge must outlive any mistake in one request
            _log.exception("%s failed", _named(request))
            return _refusal(
                RequestError(
                    "GazeShift failed while answering.",
                    hint="Details are in the file bridge.log; 'gazeshift doctor' names its folder.",
                    code="internal",
                    status=500,
                )
            )

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            started_s = asyncio.get_running_loop().time()
            self._guard(request)
            self._touch()
            length = _body_length(request, route)
            if route.takes != "none":
                self._reserve(length)
            try:
                body = await self._read(request, length)
                answer, pieces = await self._work(route, body, request)
                del body
                response = await _send(request, answer, pieces, self._proof(request, route))
            finally:
                if route.takes != "none":
                    self._requests -= 1
                    self._bytes -= length
                self._touch()
            took_s = asyncio.get_running_loop().time() - started_s
            _log.info("%s: %d bytes in, %.3f s", route.path, length, took_s)
            return response

        return handle

    def _guard(self, request: web.Request) -> None:
        caller = _caller(request)
        check_address(caller, self._port)
        route = self._routes.get(request.path)
        if route is None or not route.is_open:
            check_caller(caller, self._settings.token)
        if request.query_string:
            raise RequestError("No route takes parameters in its address.")

    def _proof(self, request: web.Request, route: Route) -> dict[str, str]:
        given = request.headers.getall(messages.CHALLENGE_HEADER, []) if route.is_open else []
        proof = answer_challenge(given, self._settings.token, self._port)
        return {} if proof is None else {messages.PROOF_HEADER: proof}

    def _reserve(self, length: int) -> None:
        """Count a request with a body; refuse it if too much is being held already."""
        is_full = self._requests >= self._settings.most_requests
        is_large = self._bytes > 0 and self._bytes + length > self._settings.most_bytes
        if is_full or is_large or self._stop.is_set():
            raise RequestError(
                "The GazeShift bridge is busy.", hint="Try again.", code="busy", status=503
            )
        self._requests += 1
        self._bytes += length

    async def _read(self, request: web.Request, length: int) -> bytearray:
        """Read exactly `length` bytes, or give up on a caller that stalls."""
        body = bytearray(length)
        loop = asyncio.get_running_loop()
        settings = self._settings
        deadline_s = loop.time() + settings.stall_s + length / settings.slowest_bytes_per_s
        position = 0
        while position < length:
            patience_s = min(settings.stall_s, deadline_s - loop.time())
            try:
                chunk = await asyncio.wait_for(request.content.readany(), max(patience_s, 0.0))
            except asyncio.TimeoutError as error:
                raise RequestError(
                    "The request's body did not arrive in time.", code="slow", status=408
                ) from error
            if not chunk:
                raise ConnectionResetError("the body ended early")
            body[position : position + len(chunk)] = chunk
            position += len(chunk)
        return body

    async def _work(
        self, route: Route, body: bytearray, request: web.Request
    ) -> tuple[Answer, list[memoryview]]:
        def work() -> tuple[Answer, list[memoryview]]:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the caller left the queue")
            answer = route.run(self._engine, body)
            header = encode(answer.header)
            if answer.sections is None:
                text = json.dumps(header, allow_nan=False, ensure_ascii=False)
                return answer, [memoryview(text.encode())]
            return answer, join_body(header, answer.sections)

        pool = self._light if route.is_light else self._heavy
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def bind(port: int | None) -> socket.socket:
    """Return a listening socket on 127.0.0.1.

    Parameters
    ----------
    port
        The port; 0 for any free one; None for the first free one of `DEFAULT_PORTS`.

    Raises
    ------
    BridgeError
        If no port is free.
    """
    for candidate in DEFAULT_PORTS if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            _claim(listener)
            listener.bind((ADDRESS, candidate))
        except OSError:
            listener.close()
            continue
        return listener
    named = f"Port {port}" if port is not None else f"Every port of {DEFAULT_PORTS}"
    raise BridgeError(
        f"{named} is in use by another program.",
        hint="End the other program, or choose a port with --port.",
    )


def _claim(listener: socket.socket) -> None:
    # On Windows SO_REUSEADDR would let another program take over the port; this forbids it.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    if exclusive is not None:
        listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def _caller(request: web.Request) -> Caller:
    headers = request.headers
    return Caller(
        hosts=headers.getall("Host", []),
        origins=headers.getall("Origin", []),
        protocols=headers.getall(messages.PROTOCOL_HEADER, []),
        authorizations=headers.getall("Authorization", []),
    )


def _body_length(request: web.Request, route: Route) -> int:
    if route.takes == "none":
        if request.body_exists:
            raise RequestError("This route takes no body.")
        return 0
    if "Transfer-Encoding" in request.headers or request.content_length is None:
        raise RequestError(
            "The request must say its length (Content-Length).", code="length", status=411
        )
    if request.content_type != route.content_type or "Content-Encoding" in request.headers:
        raise RequestError(
            f"This route takes {route.content_type}, not compressed.",
            code="content-type",
            status=415,
        )
    if request.content_length > route.limit:
        raise RequestError(
            f"The request is {request.content_length} bytes long; at most {route.limit} are taken.",
            hint="Send a smaller copy of the picture, or fewer bits per channel.",
            code="too-large",
            status=413,
        )
    return request.content_length


async def _send(
    request: web.Request, answer: Answer, pieces: list[memoryview], headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**_HEADERS, **headers})
    response.content_type = JSON_TYPE if answer.sections is None else messages.BINARY_TYPE
    response.content_length = sum(len(piece) for piece in pieces)
    await response.prepare(request)
    for piece in pieces:
        for start in range(0, len(piece), _CHUNK):
            await response.write(piece[start : start + _CHUNK])
    await response.write_eof()
    return response


_HEADERS = {
    messages.PROTOCOL_HEADER: str(messages.PROTOCOL),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _refusal(error: GazeShiftError) -> web.Response:
    answer = messages.ErrorAnswer(error.code, error.message, error.hint)
    status = status_of(error)
    _log.info("refused with %d %s", status, error.code)
    response = web.json_response(encode(answer), status=status, headers=_HEADERS)
    # An unread body must not be taken for the next request.
    response.force_close()
    return response


def _routing_error(error: web.HTTPException) -> RequestError:
    if error.status == 405:
        return RequestError("This route is called another way.", code="method", status=405)
    if error.status == 404:
        return RequestError("There is no such route.", code="route", status=404)
    return RequestError(
        f"The request cannot be answered: {error.reason}.", status=max(error.status, 400)
    )


def _named(request: web.Request) -> str:
    # The path of an unknown route is the caller's text and stays out of the log.
    resource = request.match_info.route.resource
    return request.path if resource is not None else "unknown route"
