"""JSON over HTTP/1.1 on loopback: kept connections, one document a request. Nothing listens anywhere else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType
    from typing import Self

HOST = "127.0.0.1"
_BACKLOG = 4096
_REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}


class HttpServer:
    """Answers POST requests by the path that they name.

    Parameters
    ----------
    routes
        Path to what turns a document into a document.
    """

    def __init__(self, routes: Mapping[str, Callable[[Any], Awaitable[Any]]]) -> None:
        self._routes = routes
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, HOST, 0, backlog=_BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for writer in self._connections:
            writer.close()
        if self._server is not None:
            self._server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (message := await _read(reader)) is not None:
                status, document = await self._answer(*message)
                _write(writer, f"HTTP/1.1 {status} {_REASONS[status]}", document)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the run is over: nobody waits for the answer
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, first: str, body: bytes) -> tuple[int, Any]:
        method, path, _ = first.split(" ", 2)
        if method != "POST" or path not in self._routes:
            return 404, {"error": f"nothing answers {method} {path}"}
        try:
            return 200, await self._routes[path](json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            return 500, {"error": f"{type(error).__name__}: {error}"}


class HttpClient:
    """Posts documents to one server, over as many kept connections as are needed at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, document: Any) -> Any:
        """The answer to a document.

        Raises
        ------
        ConnectionError
            Where there is none.
        """
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection(HOST, self._port)
        _write(writer, f"POST {path} HTTP/1.1", document)
        message = await _read(reader)
        if message is None or " 200 " not in message[0]:
            writer.close()
            raise ConnectionError(f"{path}: {message[0] if message else 'no answer'}")
        self._free.append((reader, writer))
        return json.loads(message[1])

    def close(self) -> None:
        """Close the connections that wait."""
        for _, writer in self._free:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    """First line and body of the next message; None at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *headers = head.decode("latin-1").split("\r\n")
        pairs = (header.partition(":") for header in headers)
        length = next((int(value) for name, _, value in pairs if name.lower() == "content-length"), 0)
        return first, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _write(writer: asyncio.StreamWriter, first: str, document: Any) -> None:
    body = json.dumps(document).encode()
    head = f"{first}\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode("latin-1") + body)
