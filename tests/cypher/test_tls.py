"""Encrypted connections: a real server behind TLS, with a certificate that nobody vouches for."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kinfolio.cypher.graph import Graph
from kinfolio.errors import KinfolioError
from kinfolio.records import Connection


def self_signed(file: Path) -> None:
    """Write a key and its certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kinfolio test")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def tls_address(server: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the server behind TLS."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    self_signed(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    host, port = server.uri.removeprefix("bolt://").split(":")
    listener = socket.create_server(("127.0.0.1", 0))

    def forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                try:
                    caller.settimeout(5)
                    encrypted = context.wrap_socket(caller, server_side=True)
                except OSError:  # the caller hung up, or speaks no TLS
                    caller.close()
                    continue
                encrypted.settimeout(None)
                plain = socket.create_connection((host, int(port)))
                for pair in ((encrypted, plain), (plain, encrypted)):
                    Thread(target=forward, args=pair, daemon=True).start()

    Thread(target=accept, daemon=True).start()
    with closing(listener):
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def check(server: Connection, uri: str) -> str:
    with closing(Graph(replace(server, uri=uri))) as graph:
        return graph.check()


def test_an_encrypted_address_is_reached_where_any_certificate_is_accepted(
    server: Connection, tls_address: str
) -> None:
    assert check(server, f"bolt+ssc://{tls_address}").startswith("Neo4j/")


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s", "bolt"])
def test_an_unknown_certificate_and_a_plain_address_are_refused_in_one_sentence(
    server: Connection, tls_address: str, scheme: str
) -> None:
    with pytest.raises(KinfolioError) as found:
        check(server, f"{scheme}://{tls_address}")
    message = str(found.value)
    print(message)
    assert "\n" not in message
    assert server.password not in message
    assert tls_address in message


@pytest.mark.parametrize("scheme", ["bolt+s", "bolt+ssc", "neo4j+s"])
def test_an_encrypted_address_of_a_server_without_tls_is_refused(
    server: Connection, scheme: str
) -> None:
    with pytest.raises(KinfolioError) as found:
        check(server, server.uri.replace("bolt", scheme, 1))
    print(found.value)
    assert "\n" not in str(found.value)
