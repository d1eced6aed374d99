"""What breaks servers, done to the bundled relay: nothing acknowledged is lost, nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop
from benchmarks import driver
from benchmarks.events import signed
from websockets.asyncio.client import ClientConnection, connect

from nip_ap.checking import fuzz
from nip_ap.nostr import PERSONA, Draft, Event, Filter, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import ConnectionLost, WireError
from tests.relay.talking import Bridge, door_to
from tests.soak.table import Finding, Part, Soak

MOST_MEGABYTES = 300.0
_IDS_AT_ONCE = 200


@contextmanager
def relay(*arguments: str) -> Iterator[BundledTarget]:
    """A relay process."""
    target = BundledTarget(arguments)
    target.start()
    try:
        yield target
    finally:
        target.stop()


def megabytes(target: BundledTarget) -> float:
    """What the relay's process holds."""
    return driver.memory_of_tree(target.group)


def persona(key: SecretKey, slug: str, content: str = "{}") -> Event:
    """A persona of now."""
    return Draft(PERSONA, int(time.time()), (("d", slug),), content).signed_by(key)


def missing(target: BundledTarget, key: SecretKey, identifiers: Sequence[str]) -> int:
    """How many acknowledged events of an author cannot be read."""
    door, found = door_to(target.url, key), set()
    for start in range(0, len(identifiers), _IDS_AT_ONCE):
        part = tuple(identifiers[start : start + _IDS_AT_ONCE])
        found |= set(door.query([Filter.of(kinds=[PERSONA], ids=part)]).ids)
    door.close()
    return len(set(identifiers) - found)


# -- nonsense ------------------------------------------------------------------------------


def frames(soak: Soak) -> Finding:
    """Mutated frames and bodies; witnesses have to be there afterwards."""
    number, bodies = soak.share(17_000, 100), soak.share(3_000, 20)
    random, mallory, key = Random(soak.seed), SecretKey.fresh(), SecretKey.fresh()
    with relay() as target:
        door = door_to(target.url, key)
        witnesses = [persona(key, f"witness-{one}") for one in range(50)]
        door.publish_all(witnesses)
        material = persona(mallory, "material")
        _send(target, mallory, list(islice(fuzz.frames(random, material), number)))
        bridge = Bridge("http" + target.url.removeprefix("ws"))
        made = islice(fuzz.bodies(random, material), bodies)
        statuses = [bridge.post(path, body, mallory).status_code for path, body in made]
        lost = missing(target, key, [one.id for one in witnesses])
        held, tracebacks = megabytes(target), target.logs().count("Traceback")
    failures = sum(status >= 500 for status in statuses)
    return Finding(
        f"{number} mutated frames, {bodies} bodies",
        f"{failures} answers 5xx, {lost} of 50 witnesses lost, {tracebacks} tracebacks, "
        f"{held:.0f} MiB",
        f"none; {MOST_MEGABYTES:.0f} MiB",
        failures == lost == tracebacks == 0 and held < MOST_MEGABYTES,
    )


def _send(target: BundledTarget, key: SecretKey, texts: Sequence[str]) -> None:
    door = door_to(target.url, key)
    for number, text in enumerate(texts):
        try:
            door.send_text(text)
            if number % 500 == 499:
                door.query([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
        except ConnectionLost:
            door = door_to(target.url, key)
    door.close()


# -- kills and full disks --------------------------------------------------------------------


class Publishers:
    """Threads that publish one event after the other until the relay is gone."""

    def __init__(self, target: BundledTarget, number: int, size: int) -> None:
        self.key = SecretKey.fresh()
        self.acknowledged: list[str] = []
        self.refused = 0
        self._target, self._size = target, size
        self._threads = [threading.Thread(target=self._publish) for _ in range(number)]

    def __enter__(self) -> Publishers:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._threads:
            one.join()

    def _publish(self) -> None:
        name = SecretKey.fresh().pubkey[:8]
        with contextlib.suppress(WireError, OSError):
            door = door_to(self._target.url, self.key)
            for number in range(1_000_000):
                event = persona(self.key, f"{name}-{number}", "x" * self._size)
                if door.publish(event).accepted:
                    self.acknowledged.append(event.id)
                else:
                    self.refused += 1


def kills(soak: Soak) -> Finding:
    """SIGKILL under load; all that was acknowledged has to be there after the restart."""
    times, random = soak.share(50, 2), Random(soak.seed)
    acknowledged = lost = 0
    with relay("--db", str(soak.folder / "relay.sqlite")) as target:
        for _ in range(times):
            with Publishers(target, 4, 200) as publishers:
                time.sleep(random.uniform(0.1, 0.6))
                target.kill()
            target.start()
            acknowledged += len(publishers.acknowledged)
            lost += missing(target, publishers.key, publishers.acknowledged)
    return Finding(
        f"{times} times SIGKILL while 4 connections publish",
        f"{acknowledged} acknowledged, {lost} lost",
        "none lost",
        lost == 0 and acknowledged > 0,
    )


def full_disk(soak: Soak) -> Finding:
    """The file may not grow, then it may again, and at the end the relay is killed."""
    times, key = soak.share(10, 1), SecretKey.fresh()
    kept: list[str] = []
    refused, wrong = 0, 0
    file = soak.folder / "relay.sqlite"
    with relay("--db", str(file)) as target:
        health = "http" + target.url.removeprefix("ws") + "/health"
        door = door_to(target.url, key)
        for round_number in range(times):
            _bound_files(target, max(one.stat().st_size for one in soak.folder.iterdir()) + 65_536)
            answers = [
                (event.id, door.publish(event))
                for event in (persona(key, f"f{round_number}-{n}", "x" * 30_000) for n in range(20))
            ]
            kept += [identifier for identifier, answer in answers if answer.accepted]
            refusals = [answer.message for _, answer in answers if not answer.accepted]
            refused += len(refusals)
            wrong += sum(not one.startswith("error:") for one in refusals)
            wrong += httpx.get(health, trust_env=False).status_code != 503
            wrong += missing(target, key, kept)
            _bound_files(target, None)
            after = persona(key, f"after-{round_number}", "x" * 30_000)
            wrong += not door.publish(after).accepted
            wrong += httpx.get(health, trust_env=False).status_code != 200
            kept.append(after.id)
        door.close()
        target.kill()
        target.start()
        lost = missing(target, key, kept)
    return Finding(
        f"{times} times no room in the file system, then room again, then SIGKILL",
        f"{len(kept)} acknowledged, {refused} refused, {lost} lost, {wrong} other faults",
        "none lost; `error:`, /health 503, then 200",
        lost == wrong == 0 and refused > 0,
    )


def _bound_files(target: BundledTarget, most: int | None) -> None:
    limit = resource.RLIM_INFINITY if most is None else most
    resource.prlimit(target.group, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


# -- crowds --------------------------------------------------------------------------------


def crowd(soak: Soak) -> Finding:
    """64 publishers and 16 subscribers: AP-ROB-06 under --load."""
    events = soak.share(12_800, 640)
    words = ["run", "--only", "AP-ROB-06", "--json", "--load", "--publishers", "64"]
    words += ["--subscribers", "16", "--load-events", str(events)]
    attempts, check = 1, _only_check(words, soak.folder)
    while check["verdict"] == "error" and attempts < _ATTEMPTS:
        attempts, check = attempts + 1, _only_check(words, soak.folder)
    load = check.get("facts", {}).get("load")
    if load is None:
        raise RuntimeError(f"AP-ROB-06: {check['verdict']}: {check['reason']}")
    return Finding(
        f"{load['publishers']} connections publish, {load['subscribers']} listen, {events} events",
        f"{load['sent']} sent, {load['accepted']} accepted; AP-ROB-06: {check['verdict']}"
        + (f" (the generator broke down {attempts - 1} times before)" if attempts > 1 else ""),
        "all accepted, each delivered once to each",
        check["verdict"] == "pass" and load["accepted"] == load["sent"] > 0,
    )


_ATTEMPTS = 4
"""How often the load generator, which is the suite's own, may break down: that is told."""


def _only_check(words: Sequence[str], folder: Path) -> dict[str, Any]:
    """The one check of a run, out of its report."""
    command = [sys.executable, "-m", "nip_ap", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    (check,) = json.loads(done.stdout)["checks"]
    found: dict[str, Any] = check
    return found


_A_CONNECTION = 200.0


def idle(soak: Soak) -> Finding:
    """Connections that do nothing; the others have to be served as before."""
    number = soak.share(500, 10)
    with relay("--open") as target:
        before, alone = megabytes(target), _pace(target)
        answered, among, after = asyncio.run(_idle(target, number))
    each = max(after - before, 0.0) * 1024 / number
    return Finding(
        f"{number} connections that say nothing",
        f"{answered} still answer; {each:.0f} KiB each; publish to OK {among / alone:.1f} times "
        "the time without them",
        f"all; {_A_CONNECTION:.0f} KiB; 5 times",
        answered == number and each < _A_CONNECTION and among < 5 * alone,
    )


async def _idle(target: BundledTarget, number: int) -> tuple[int, float, float]:
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connect(target.url, proxy=None)) for _ in range(number)
        ]
        among = await asyncio.to_thread(_pace, target)
        held = megabytes(target)
        answered = 0
        for one in sockets:
            await one.send('["REQ","a",{"kinds":[30175],"limit":1}]')
            answered += await asyncio.wait_for(_is_answered(one), 10)
    return answered, among, held


async def _is_answered(connection: ClientConnection) -> bool:
    """Whether an event comes before the end of the stored ones."""
    async for text in connection:
        if text.startswith(('["EVENT"', '["EOSE"')):
            return text.startswith('["EVENT"')
    return False


def _pace(target: BundledTarget, number: int = 100) -> float:
    """Median seconds from EVENT to OK."""
    key, times = SecretKey.fresh(), []
    door = door_to(target.url, key, challenge=False)
    for one in range(number):
        event = Draft(PERSONA, int(time.time()), (("d", f"p{one}"), ("shared", "true")), "{}")
        began = time.monotonic()
        door.publish(event.signed_by(key))
        times.append(time.monotonic() - began)
    door.close()
    return statistics.median(times)


def slow_readers(soak: Soak) -> Finding:
    """Subscribers that do not read while others are served; they are left, or they wait."""
    number, events = 4, soak.share(30_000, 500)
    with relay("--open") as target:
        before = megabytes(target)
        readers = [_mute_subscriber(target.url) for _ in range(number)]
        answered = _publish(target.url, events)
        held = megabytes(target)
        for one in readers:
            one.close()
    return Finding(
        f"{number} subscribers that do not read, {events} events",
        f"{answered} acknowledged; {held - before:.0f} MiB more",
        f"all; {MOST_MEGABYTES:.0f} MiB",
        answered == events and held < MOST_MEGABYTES,
    )


def _mute_subscriber(url: str) -> socket.socket:
    """A connection that subscribes to all personas and never reads."""
    place = urlsplit(url)
    mute = socket.create_connection((place.hostname, place.port))
    mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    mute.sendall(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    mute.recv(4096)
    request = b'["REQ","a",{"kinds":[30175]}]'
    mute.sendall(b"\x81" + bytes([0x80 | len(request)]) + b"\0\0\0\0" + request)
    return mute


def _publish(url: str, number: int, *, first: int = 0) -> int:
    """Publish so many events on one connection, many in flight; how many were acknowledged."""
    events = signed(number, first=first)
    work = driver.publish_pipelined(url, events, window=64, seconds=600.0)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return len(runner.run(work))


_AN_EVENT = 2_000.0
_WARM_UP = 1_000
"""Events after which what the relay holds is no more what any server holds."""


def growth(soak: Soak) -> Finding:
    """Memory while the relay fills; the events themselves are in its file."""
    number = soak.share(100_000, 2_000)
    with relay("--open", "--db", str(soak.folder / "relay.sqlite")) as target:
        _publish(target.url, _WARM_UP)
        before = megabytes(target)
        answered = _publish(target.url, number, first=_WARM_UP)
        each = (megabytes(target) - before) * 1024 * 1024 / number
    return Finding(
        f"{number} events stored in a file",
        f"{answered} acknowledged; {each:.0f} bytes of memory each",
        f"all; {_AN_EVENT:.0f} bytes",
        answered == number and each < _AN_EVENT,
    )


PARTS = (
    Part("frames", frames),
    Part("kills", kills),
    Part("full disk", full_disk),
    Part("crowd", crowd),
    Part("idle", idle),
    Part("slow readers", slow_readers),
    Part("growth", growth),
)
