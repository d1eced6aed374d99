"""Relays at addresses of every form: IPv6, behind a path, and behind TLS that is private."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from nip_ap.model.relay_url import RelayUrl
from nip_ap.targets import BundledTarget

GROUPS = ("--only", "AP-SLUG-0[1-3]", "--only", "AP-HTTP-0[1-3]", "--only", "SCOPE", "-n", 1)


@pytest.fixture
def started():
    """Starts bundled relays; gives their URLs."""
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            target = BundledTarget(arguments)
            stack.callback(target.stop)
            target.start()
            return target.url

        yield start


def test_a_relay_on_ipv6(nip_ap, started):
    url = started("--host", "::1")
    assert url.startswith("ws://[::1]:")
    done = nip_ap("run", url.replace("[::1]", "[0::0:1]"), *GROUPS, "--json")
    assert (done.code, done.json["target"]["url"]) == (0, url)


def test_a_relay_behind_a_path(nip_ap, started):
    url = started("--gallery") + "/slug-empty-accepted/"
    done = nip_ap("run", url, *GROUPS, "--json")
    assert "1 clause broken: AP-SLUG-02 (" in done.json["why"]


def test_other_spellings_lead_to_the_same_relay(nip_ap, relay):
    port = RelayUrl.parse(relay.url).port
    done = nip_ap("run", f" WS://127.1:{port}/ ", *GROUPS, "--json")
    assert (done.code, done.json["target"]["url"]) == (0, relay.url)


# -- TLS ---------------------------------------------------------------------------------------


async def carry(source, sink):
    """Hand on what comes, and say how the request came as a proxy does."""
    try:
        while data := await source.read(65536):
            if data.startswith((b"GET ", b"POST ")):
                line, _, rest = data.partition(b"\r\n")
                data = line + b"\r\nX-Forwarded-Proto: https\r\n" + rest
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


@contextlib.contextmanager
def tls_front(certificate, key, url):
    """Ends TLS before a relay, as a reverse proxy does; gives the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    relay = RelayUrl.parse(url)
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()

    async def lead(reader, writer):
        inside, outside = await asyncio.open_connection(relay.host, relay.port)
        await asyncio.gather(carry(reader, outside), carry(inside, writer))

    async def serve():
        await asyncio.start_server(lead, sock=listener, ssl=context)

    loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"wss://localhost:{listener.getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost that is its own authority, and the file of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    own, key = folder / "localhost.pem", folder / "localhost.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", key, "-out", own, "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return own, key


@pytest.fixture
def behind_tls(certificate, started):
    """The URL of a relay behind TLS, on a port that the relay does not know."""
    with tls_front(*certificate, started("--trust-host")) as url:
        yield url


@pytest.mark.parametrize("workers", [1, 2])
def test_a_relay_behind_tls_with_a_private_authority(nip_ap, behind_tls, certificate, workers):
    done = nip_ap(
        "run", behind_tls, "--ca", certificate[0], "--only", "AP-SLUG-02", "-n", workers, "--json"
    )
    assert (done.code, (done.json or {}).get("verdict")) == (0, "conformant"), done
    assert f"--ca {certificate[0]}" in done.json["checks"][0]["repro"]


def test_pytest_takes_the_authority_too(run_checks, behind_tls, certificate):
    done = run_checks("--nip-ap-ca", certificate[0], "--nip-ap-only", "AP-SLUG-02", url=behind_tls)
    assert (done.code, done.report["verdict"]) == (0, "conformant")


def test_without_the_authority_the_certificate_is_what_is_wrong(nip_ap, behind_tls):
    done = nip_ap("run", behind_tls, *GROUPS)
    assert (done.code, done.out) == (3, "")
    assert "certificate verify failed" in done.err
