"""The peers, one declaration each. Adding a relay is an entry here and its explanations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

Command = Callable[[Path, Path, int], list[str]]
"""(folder of programs, folder of data, port) -> the words that start the relay."""


@dataclass(frozen=True)
class Peer:
    """One relay. `packages` are pip requirements; `crate` is a name and version for cargo."""

    name: str
    title: str
    about: str
    version: str
    start: Command
    packages: Sequence[str] = ()
    crate: tuple[str, str] | None = None
    files: Callable[[Path, int], Mapping[str, str]] = lambda data, port: {}
    """Files that the relay needs in its data folder, by name."""


# -- nostr-relay: Python, falcon on uvicorn --------------------------------------------


def _nostr_relay_config(storage: Mapping[str, object], port: int) -> str:
    """YAML is a superset of JSON. The limits are opened so far that none of ours is met."""
    return json.dumps(
        {
            "relay_name": "peer",
            "storage": {
                **storage,
                "validators": [
                    "nostr_relay.validators.is_not_too_large",
                    "nostr_relay.validators.is_signed",
                    "nostr_relay.validators.is_recent",
                ],
            },
            "gunicorn": {"bind": f"127.0.0.1:{port}", "workers": 1, "loglevel": "warning"},
            "authentication": {"enabled": False},
            "max_event_size": 262144,
            "subscription_limit": 32,
            "max_limit": 6000,
            "logging": {"version": 1, "root": {"level": "WARNING"}},
        },
        indent=2,
    )


def _sqlite(data: Path, port: int) -> Mapping[str, str]:
    storage = {
        "sqlalchemy.url": f"sqlite+aiosqlite:///{data / 'relay.sqlite3'}",
        "num_concurrent_reqs": 10,
        "num_concurrent_adds": 2,
    }
    return {"config.yaml": _nostr_relay_config(storage, port)}


def _lmdb(data: Path, port: int) -> Mapping[str, str]:
    storage = {
        "class": "nostr_relay.storage.kv.LMDBStorage",
        "path": str(data / "relay.db"),
        "map_size": 1 << 30,
    }
    return {"config.yaml": _nostr_relay_config(storage, port)}


def _nostr_relay(programs: Path, data: Path, port: int) -> list[str]:
    return [
        str(programs / "nostr-relay"),
        *("-c", str(data / "config.yaml"), "serve", "--use-uvicorn"),
    ]


# -- nostr-sdk: the Rust relay of rust-nostr behind its Python binding ---------------------


def _nostr_sdk(*options: str) -> Command:
    def command(programs: Path, data: Path, port: int) -> list[str]:
        script = HERE / "nostr_sdk_relay.py"
        return [str(programs / "python"), str(script), str(port), *options]

    return command


# -- nostr-rs-relay: Rust, SQLite ------------------------------------------------------


def _nostr_rs_relay_config(data: Path, port: int) -> Mapping[str, str]:
    """No rate limits: messages_per_sec and the like stay unset. Both sizes at their defaults."""
    return {
        "config.toml": f"""\
[info]
relay_url = "ws://127.0.0.1:{port}/"
name = "peer"

[database]
data_directory = "{data}"

[network]
address = "127.0.0.1"
port = {port}

[limits]
max_event_bytes = 131072
limit_scrapers = false
"""
    }


def _nostr_rs_relay(programs: Path, data: Path, port: int) -> list[str]:
    return [
        str(programs / "nostr-rs-relay"),
        *("--db", str(data), "--config", str(data / "config.toml")),
    ]


PEERS = (
    Peer(
        name="nostr-relay-sqlite",
        title="nostr-relay on SQLite",
        about="PyPI `nostr-relay`, Python (falcon on uvicorn), its default storage",
        version="1.14",
        packages=("nostr-relay==1.14",),
        files=_sqlite,
        start=_nostr_relay,
    ),
    Peer(
        name="nostr-relay-lmdb",
        title="nostr-relay on LMDB",
        about="PyPI `nostr-relay`, Python (falcon on uvicorn), its LMDB storage",
        version="1.14",
        packages=("nostr-relay==1.14", "lmdb==3.0.0", "msgpack==1.2.4", "whoosh==2.7.4"),
        files=_lmdb,
        start=_nostr_relay,
    ),
    Peer(
        name="nostr-sdk",
        title="nostr-sdk LocalRelay",
        about="PyPI `nostr-sdk`, the Rust relay of rust-nostr, in memory, no policy",
        version="0.45.1",
        packages=("nostr-sdk==0.45.1",),
        start=_nostr_sdk(),
    ),
    Peer(
        name="nostr-sdk-persona-policy",
        title="nostr-sdk LocalRelay with a persona policy",
        about=(
            "the same relay with a write policy that refuses a persona without exactly one `d` "
            "tag of the slug grammar; policy and texts are ours, everything else rust-nostr's"
        ),
        version="0.45.1",
        packages=("nostr-sdk==0.45.1",),
        start=_nostr_sdk("persona-policy"),
    ),
    Peer(
        name="nostr-rs-relay",
        title="nostr-rs-relay",
        about="crates.io `nostr-rs-relay`, Rust, SQLite",
        version="0.8.12",
        crate=("nostr-rs-relay", "0.8.12"),
        files=_nostr_rs_relay_config,
        start=_nostr_rs_relay,
    ),
)


def peer_named(name: str) -> Peer:
    """The peer of that name. Raises KeyError."""
    return {peer.name: peer for peer in PEERS}[name]
