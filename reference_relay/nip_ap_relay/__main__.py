"""Run the relay in the foreground: `python -m nip_ap_relay`, which is `nip-ap relay`."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import sqlite3
import sys
import threading
from pathlib import Path
from types import FrameType

import click
import uvicorn

from nip_ap_relay.app import application
from nip_ap_relay.http_protocol import BoundedProtocol
from nip_ap_relay.manners import (
    AUTHENTICATED,
    BOTH,
    CHALLENGES,
    CONNECT,
    MANNERS,
    READS,
    USUAL_NEED,
    WRITES,
)
from nip_ap_relay.own_url import DIALLED, OwnUrl, url_of
from nip_ap_relay.policy import NOVEMBER, REVISIONS, Policy
from nip_ap_relay.relay import Relay
from nip_ap_relay.rogues import ROGUES, combination
from nip_ap_relay.store import Store
from nip_ap_relay.stub.control import Control


def narrowed_scopes(pairs: tuple[str, ...]) -> dict[str, frozenset[str]]:
    grants = {}
    for pair in pairs:
        pubkey, equals, scopes = pair.partition("=")
        if not equals or len(pubkey) != 64:
            raise click.BadParameter(f"{pair!r} is not PUBKEY=scope,scope (64 hex digits first)")
        grants[pubkey.lower()] = frozenset(scope for scope in scopes.split(",") if scope)
    return grants


def _store(path: Path | None) -> Store:
    try:
        return Store(path)
    except sqlite3.Error as error:
        raise click.ClickException(f"{path} cannot be used as a database: {error}") from None


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None
    # Accepted sockets inherit it; asyncio sets it only on sockets made with an explicit protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _stop_with_parent(server: uvicorn.Server) -> None:
    """End the server when standard input closes: the way to outlive no parent, however it dies."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        server.should_exit = True

    threading.Thread(target=wait, daemon=True, name="stop-with-parent").start()


def _policy(rogues: tuple[str, ...], spec: str) -> Policy:
    """The reference's, or one with these deviations."""
    try:
        return combination(rogues).relay_policy(spec) if rogues else Policy(spec)
    except KeyError as error:
        raise click.UsageError(
            f"no rogue is named {error.args[0]!r}; `--rogue list` shows them"
        ) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _is_loopback(host: str) -> bool:
    if _is_name(host):
        return host == "localhost"
    return ipaddress.ip_address(host).is_loopback


def _warn_of_dev(host: str) -> None:
    if not _is_loopback(host):
        raise click.UsageError(
            f"--dev lets anybody read as anybody, so it is for a loopback address, not {host}"
        )
    click.echo(
        "warning: --dev: an X-Pubkey header reads and writes as that key without a proof, and any "
        "page in a browser of this machine can send one",
        err=True,
    )


def _own_url(host: str, url: str | None, trust_host: bool) -> OwnUrl:
    """What authentication is bound to."""
    if url and trust_host:
        raise click.UsageError("give --url or --trust-host, not both")
    if trust_host:
        click.echo(
            "warning: --trust-host: authentication is bound to whatever the Host header says",
            err=True,
        )
        return OwnUrl(trusts_host=True)
    if not url:
        return DIALLED
    try:
        return OwnUrl.given(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None


@click.command(name="relay")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7175, show_default=True, help="0 takes a free one and prints it.")
@click.option(
    "--db", type=click.Path(dir_okay=False, path_type=Path), help="Keep events in a file."
)
@click.option("--spec", type=click.Choice(REVISIONS), default=NOVEMBER, show_default=True)
@click.option(
    "--rogue",
    "rogues",
    multiple=True,
    metavar="NAME",
    help="Deviate in one way; `--rogue list` shows them. Repeatable: in several ways at once.",
)
@click.option("--gallery", is_flag=True, help="Serve every rogue, each under /NAME.")
@click.option("--open", "is_open", is_flag=True, help="Do not require NIP-42 authentication.")
@click.option(
    "--challenge",
    type=click.Choice(list(CHALLENGES)),
    default=CONNECT,
    show_default=True,
    help="When to send a NIP-42 challenge: "
    + "; ".join(f"{name}: {when}" for name, when in CHALLENGES.items())
    + ".",
)
@click.option(
    "--auth-required",
    type=click.Choice(AUTHENTICATED),
    help="What takes NIP-42 authentication first; "
    "reads alone with --challenge read, writes alone with write, else both.",
)
@click.option(
    "--manner", metavar="NAME", default="plain", help="Be small or slow; `--manner list` shows how."
)
@click.option(
    "--grant",
    "grants",
    multiple=True,
    metavar="PUBKEY=SCOPE,...",
    help="Narrow what a key's credential may write. Repeatable.",
)
@click.option(
    "--url",
    help="The relay's own URL, to which authentication is bound; "
    "else the address at which a connection arrives.",
)
@click.option(
    "--trust-host",
    is_flag=True,
    help="Take its own URL from the Host header: behind a proxy or a published port that is not "
    "known beforehand. Authentication is then bound to nothing.",
)
@click.option(
    "--dev",
    is_flag=True,
    help="Take X-Pubkey for a proof and let any page in (CORS), on a loopback address only.",
)
@click.option("--stop-with-parent", is_flag=True, help="Stop when standard input closes.")
def main(
    host: str,
    port: int,
    db: Path | None,
    spec: str,
    rogues: tuple[str, ...],
    gallery: bool,
    is_open: bool,
    challenge: str,
    auth_required: str | None,
    manner: str,
    grants: tuple[str, ...],
    url: str | None,
    trust_host: bool,
    dev: bool,
    stop_with_parent: bool,
) -> None:
    """The bundled reference relay, in the foreground."""
    if "list" in rogues:
        for one in ROGUES.values():
            click.echo(f"{one.name:34} {one.because}")
        return
    if manner == "list":
        for name, each in MANNERS.items():
            click.echo(f"{name:34} {each.because}")
        return
    if manner not in MANNERS:
        raise click.UsageError(f"no manner is named {manner!r}; `--manner list` shows them")
    if dev:
        _warn_of_dev(host)
    own = _own_url(host, url, trust_host)
    narrowed = narrowed_scopes(grants)
    needed = auth_required or USUAL_NEED.get(challenge, BOTH)

    def relay(policy: Policy, path: Path | None = None) -> Relay:
        policy.auth_to_read = not is_open and needed in (READS, BOTH)
        policy.auth_to_write = not is_open and needed in (WRITES, BOTH)
        policy.challenge_moment = challenge
        policy.x_pubkey_accepted = dev
        MANNERS[manner].instruct(policy)
        return Relay(policy, _store(path), narrowed)

    control = Control.from_environment(spec)
    if control is not None:
        stub = relay(control.policy())
        serve(
            {"": stub},
            control.take_over(stub, host, port),
            own=own,
            stop_with_parent=stop_with_parent,
            control=control,
        )
        return
    policy = _policy(rogues, spec)
    relays = {"": relay(policy, db)}
    if gallery:
        relays |= {one.name: relay(one.relay_policy(one.spec)) for one in ROGUES.values()}
    listener = _listener(host, port)
    if own == DIALLED and _is_name(host):
        own = OwnUrl(url_of(host, listener.getsockname()[1]))
    serve(relays, listener, own=own, any_page=dev, stop_with_parent=stop_with_parent)


class _Announced(uvicorn.Server):
    """Says where it listens once it answers, and once signals end it in good order."""

    stops_when_asked = True
    address = ("", 0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal does; nothing where a rogue does not listen."""
        if self.stops_when_asked:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        click.echo(f"listening on {url_of(*self.address)}")
        sys.stdout.flush()


def serve(
    relays: dict[str, Relay],
    listener: socket.socket,
    *,
    own: OwnUrl = DIALLED,
    any_page: bool = False,
    stop_with_parent: bool,
    control: Control | None = None,
) -> None:
    """Serve until told to stop; the first line of output is the address."""
    address = control.front.address if control else listener.getsockname()[:2]
    if control and own == DIALLED:
        own = OwnUrl(url_of(*address))  # the relay itself listens behind its front
    config = uvicorn.Config(
        application(relays, own, any_page=any_page),
        http=BoundedProtocol,
        loop="auto",
        ws="websockets-sansio",
        # A backstop: the policy has the say about frames, and for that one has to be read.
        ws_max_size=4 * max(relay.policy.frame_limit for relay in relays.values()),
        ws_per_message_deflate=False,
        log_level=os.environ.get("NIP_AP_RELAY_LOG", "warning"),
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    server = _Announced(config)
    server.stops_when_asked = relays[""].policy.stops_when_asked()
    if stop_with_parent:
        _stop_with_parent(server)
    server.address = address
    served = server.serve(sockets=[listener])
    if control is not None:
        served = control.serve(served)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(served)


if __name__ == "__main__":
    main()
