"""A TCP proxy between a client and the test server that cuts or silences its connections."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["reset", "mute"]


@dataclass
class Proxy:
    """A listening proxy; `fault` applies to a connection after `limit` bytes both ways."""

    uri: str
    fault: Fault | None = None
    limit: int = 0
    times: float = float("inf")
    """Number of connections with the fault; those after them are forwarded."""
    connections: int = 0
    forwarded: int = 0
    """Bytes, both ways."""
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def proxy_to(
    uri: str, fault: Fault | None = None, limit: int = 0, times: float = float("inf")
) -> Iterator[Proxy]:
    """Listen on a free port and forward each connection to the server of a Bolt address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(f"bolt://127.0.0.1:{listener.getsockname()[1]}", fault, limit, times)
        port = urlsplit(uri).port
        assert port is not None
        threads = [threading.Thread(target=_accept, args=(listener, port, proxy))]
        threads[0].start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            threads[0].join()


def _accept(listener: socket.socket, port: int, proxy: Proxy) -> None:
    listener.settimeout(0.02)
    threads = []
    while not proxy.closing.is_set():
        with contextlib.suppress(TimeoutError):
            client, _ = listener.accept()
            proxy.connections += 1
            threads.append(threading.Thread(target=_forward, args=(client, port, proxy)))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _forward(client: socket.socket, port: int, proxy: Proxy) -> None:
    fault = proxy.fault if proxy.connections <= proxy.times else None
    left = proxy.limit
    with (
        client,
        socket.create_connection(("127.0.0.1", port)) as server,
        selectors.DefaultSelector() as selector,
    ):
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while not proxy.closing.is_set():
            for key, _ in selector.select(0.02):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                try:
                    data = source.recv(4096)
                    key.data.sendall(data[:left] if fault else data)
                except OSError:
                    return
                if not data:
                    return
                left -= len(data)
                proxy.forwarded += len(data)
                if fault == "reset" and left <= 0:
                    # Closed with this option, a socket sends RST instead of FIN.
                    linger = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                if fault == "mute" and left <= 0:
                    proxy.closing.wait()
                    return
