"""Serve the reference relay and every mutant, each under its name; BundledTarget starts this.

With --mutant it is one mutant alone, with a store that survives it: for checks that kill it.
"""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from nip_ap_relay.__main__ import narrowed_scopes, serve
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Store
from tests.mutation.mutants import mutants


def main() -> None:
    """Take the options that a target gives; stop with the parent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stop-with-parent", action="store_true")
    parser.add_argument("--mutant")
    parser.add_argument("--spec", default=NOVEMBER)
    parser.add_argument("--grant", action="append", default=[])
    parser.add_argument("--db", type=Path)
    options = parser.parse_args()
    narrowed = narrowed_scopes(tuple(options.grant))

    def relay(policy: Policy, path: Path | None = None) -> Relay:
        return Relay(policy, Store(path) if path else Store(), narrowed)

    if options.mutant:
        alone = next(one for one in mutants() if one.name == options.mutant)
        relays = {"": relay(alone.policy(options.spec), options.db)}
    else:
        relays = {"": relay(Policy(options.spec))}
        relays |= {one.name: relay(one.policy(options.spec)) for one in mutants()}
    listener = socket.create_server(("127.0.0.1", options.port), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    serve(relays, listener, stop_with_parent=options.stop_with_parent)


if __name__ == "__main__":
    main()
