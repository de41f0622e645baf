"""A reverse proxy that serves a WebUI below a path of its own address, as people run one in front of --subpath."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

_END_OF_HEAD = b"\r\n\r\n"


@contextlib.contextmanager
def below(prefix: str, target: int) -> Iterator[str]:
    """Serve what listens on the port `target` below the prefix, such as `/pictures`; the address of it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    proxy = _Proxy(prefix.encode(), target)
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.serve, "127.0.0.1", 0), loop).result(10)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{prefix}/"
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(proxy.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class _Proxy:
    """Takes the prefix off the path of each request. A connection carries one request, or a WebSocket."""

    def __init__(self, prefix: bytes, target: int) -> None:
        self._prefix = prefix
        self._target = target
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a browser."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        # Browsers close connections as they like, and so does the WebUI when it is restarted.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await self._pass_on(reader, writer)
        self._running.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_END_OF_HEAD)
        asked, *fields = head[: -len(_END_OF_HEAD)].split(b"\r\n")
        method, path, version = asked.split(b" ")
        if not path.startswith(self._prefix + b"/"):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        if not any(field.lower().startswith(b"upgrade:") for field in fields):
            kept = [field for field in fields if not field.lower().startswith(b"connection:")]
            fields = [*kept, b"Connection: close"]
        from_webui, to_webui = await asyncio.open_connection("127.0.0.1", self._target)
        with contextlib.closing(to_webui):
            first = b" ".join([method, path[len(self._prefix) :], version])
            to_webui.write(b"\r\n".join([first, *fields]) + _END_OF_HEAD)
            sending = asyncio.create_task(_copy(reader, to_webui))
            try:
                await _copy(from_webui, writer)
            finally:
                sending.cancel()

    async def close(self) -> None:
        """End all connections."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while block := await source.read(1 << 16):
        sink.write(block)
        await sink.drain()
