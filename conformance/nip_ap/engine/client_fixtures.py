"""What the checks of MIG, PIN and READER ask for by name, in addition to what all checks have."""

from __future__ import annotations

import copy
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import orjson
import pytest

from nip_ap.checking.actor import Actor
from nip_ap.checking.check import Check
from nip_ap.clients.device import Device, Record, deletes, publishes, works
from nip_ap.clients.reading import ReaderBench, fault_of
from nip_ap.clients.relay_side import Client
from nip_ap.clients.stub import Stub, another_stub, shared_stub, texts_of
from nip_ap.model.judgement import Broken, Inconclusive, NotApplicable
from nip_ap.nostr import Draft, SecretKey
from nip_ap.resources import data
from nip_ap_client.pinned import FILE_NAME, PinnedAgents
from nip_ap_client.tasks import TASKS

_ANOTHERS_CLIENT = "it judges somebody's client, a process of its own, and not the relay"


@pytest.fixture
def personas() -> list[Record]:
    """Fixture F3: a full, a minimal and a Unicode persona, and a built-in one."""
    return copy.deepcopy(data("personas/three"))


@pytest.fixture
def newcomer() -> Record:
    """A persona that is in no file yet."""
    return copy.deepcopy(data("personas/newcomer"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory of the check's own."""
    made = Path(tempfile.mkdtemp(prefix="nip-ap-mig-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def stub(check: Check) -> Iterator[Stub]:
    """The stub relay, empty and well behaved."""
    check.goes_beyond_the_wire(_ANOTHERS_CLIENT)
    yield from _reset_around(shared_stub())


@pytest.fixture
def elsewhere(check: Check) -> Iterator[Stub]:
    """The stub relay of another community, empty and well behaved."""
    check.goes_beyond_the_wire(_ANOTHERS_CLIENT)
    yield from _reset_around(another_stub())


def _reset_around(stub: Stub) -> Iterator[Stub]:
    stub.reset()
    yield stub
    stub.reset()


@pytest.fixture
def devices(check: Check, stub: Stub, folder: Path) -> Callable[..., Device]:
    """Makes devices: devices("phone"), or with another owner: devices("x", role="colleague")."""

    def make(name: str, *, role: str = "owner", at: Device | None = None) -> Device:
        key = SecretKey.derived(check.seed, "key", role)
        base = at.base if at is not None else folder / name / "agents"
        base.mkdir(parents=True, exist_ok=True)
        key_file = folder / f"{name}-{role}.key"
        template = check.surface.context.settings.migrator
        device = Device(
            name, base, key, key_file, template, check.subject.name, stub, check.transcript
        )
        device.gets_key()
        return device

    return make


@pytest.fixture
def laptop(devices: Callable[..., Device]) -> Device:
    """A device with the migrator under test."""
    return devices("laptop")


@pytest.fixture
def phone(devices: Callable[..., Device]) -> Device:
    """Another device of the same owner."""
    return devices("phone")


@pytest.fixture
def working(check: Check) -> None:
    """A control: the migrator publishes to a healthy relay. Raises Inconclusive."""
    check.goes_beyond_the_wire(_ANOTHERS_CLIENT)
    found = works(check.surface.context.settings.migrator, check.subject.name)
    if not found.does:
        raise Inconclusive(f"the migrator does not work on a healthy relay: {found.why}")


@pytest.fixture
def deleting(check: Check, working: None) -> None:
    """A control: the migrator deletes what leaves its file. Raises NotApplicable."""
    if not deletes(check.surface.context.settings.migrator, check.subject.name):
        raise NotApplicable("the migrator deletes nothing: what leaves its file stays published")


@pytest.fixture
def family(check: Check, working: None) -> dict[str, list[Record]]:
    """A shared team of two members, and two agents: one linked to a definition, one without."""
    return copy.deepcopy(data("family/records"))


@pytest.fixture
def publishing(check: Check, working: None) -> Callable[[int], None]:
    """A control: the migrator publishes a kind at all. Calling it raises NotApplicable."""

    def is_there(kind: int) -> None:
        check.goes_beyond_the_wire(_ANOTHERS_CLIENT)
        if kind not in publishes(check.surface.context.settings.migrator, check.subject.name):
            raise NotApplicable(
                f"the migrator publishes nothing of kind {kind}, from files beside personas.json"
            )

    return is_there


@pytest.fixture
def client(check: Check, owner: Actor, folder: Path) -> Client:
    """The suite's own migrator in process, on the relay under test."""
    return Client(owner, folder / "client", check.url)


@pytest.fixture
def other_client(check: Check, owner: Actor, folder: Path) -> Client:
    """Another device of the same owner, on a connection of its own."""
    return Client(owner.another_connection(), folder / "other", check.subject.url)


@pytest.fixture
def keeps_two(check: Check, persona: Callable[..., Draft]) -> None:
    """A control: the relay keeps two personas of one key apart. Raises Inconclusive."""
    somebody = check.actor("somebody")
    for one in somebody.publish_all([persona(check.slug(f"control-{n}")) for n in (1, 2)]):
        if somebody.head(one.slug) != one:
            raise Inconclusive(
                "the relay does not even keep two personas of one key and give back each"
            )


@pytest.fixture
def mine(check: Check, personas: list[Record]) -> list[Record]:
    """The three user personas of F3 under slugs that nobody else uses."""
    named = [one for one in personas if not one["is_builtin"]]
    return [one | {"id": check.slug(f"mig-{number}")} for number, one in enumerate(named)]


@pytest.fixture
def bare_reader(check: Check, folder: Path) -> ReaderBench:
    """The reader under test, of which nothing is known yet."""
    check.goes_beyond_the_wire(_ANOTHERS_CLIENT)
    settings = check.surface.context.settings
    now = int(check.transcript.reading("now", lambda: int(time.time())))
    return ReaderBench(
        settings.reader,
        check.subject.name,
        check.seed,
        now,
        folder,
        shared_stub(),
        check.transcript,
        settings.reader_load,
    )


@pytest.fixture
def reader(bare_reader: ReaderBench) -> ReaderBench:
    """The reader under test, which shows a plain persona. Raises Inconclusive."""
    fault = fault_of(bare_reader.template, bare_reader.subject)
    if fault:
        raise Inconclusive(f"the reader does not even show a plain persona: {fault}")
    return bare_reader


class Pinning:
    """A client with pinned spawn config: the suite's own, or one that declares {task}."""

    def __init__(self, device: Device | None, client: Callable[[], Client], base: Path) -> None:
        self._device = device
        self._client = client
        self.base = base

    def has(self, personas: Sequence[Record], agents: Sequence[Record] | None = None) -> None:
        """Write personas.json, and managed-agents.json where agents are given."""
        (self.base / "personas.json").write_bytes(orjson.dumps(list(personas)))
        if agents is not None:
            (self.base / FILE_NAME).write_bytes(orjson.dumps(list(agents)))

    def agents(self) -> list[Record]:
        """The agents of now, as JSON."""
        path = self.base / FILE_NAME
        found: list[Record] = orjson.loads(path.read_bytes()) if path.exists() else []
        return found

    def does(self, task: str) -> Record:
        """One task of nip_ap_client.tasks. Raises Broken where it fails."""
        if self._device is None:
            return TASKS[task](self.base, PinnedAgents())
        outcome = self._device.runs(task=task)
        try:
            answer = orjson.loads(outcome.out)
        except orjson.JSONDecodeError:
            answer = None
        if outcome.code != 0 or not isinstance(answer, dict):
            raise Broken(f"a JSON object and exit 0 from {task}", str(outcome))
        return answer

    def publishes(self, check: Check) -> str:
        """Migrate what personas.json holds; gives all that this client ever sent, as one text."""
        if self._device is not None:
            self._device.runs()
            return texts_of(self._device.stub.log())
        self._client().runs()
        return "\n".join(frame.text for frame in check.transcript.frames)


@pytest.fixture
def pinning(check: Check, request: pytest.FixtureRequest, folder: Path) -> Pinning:
    """The client whose pinning is checked."""
    own = partial(request.getfixturevalue, "client")
    if "{task}" in check.surface.context.settings.migrator:
        device: Device = request.getfixturevalue("laptop")
        return Pinning(device, own, device.base)
    base = folder / "client"
    base.mkdir()
    return Pinning(None, own, base)
