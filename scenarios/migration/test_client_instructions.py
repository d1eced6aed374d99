"""MIG, side (b): instructions of teams and agents, from the files beside personas.json.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store. One that publishes no
instructions is not judged.
"""

import copy

import orjson

from nip_ap.clients.claims import secrets_in
from nip_ap.nostr import nip44
from nip_ap.scenario import (
    DELETION,
    INSTRUCTIONS,
    TEAM,
    TEAM_CATALOG,
    Broken,
    Draft,
    Inconclusive,
    clause,
    data,
    each,
)

MIGRATOR = ["migrator"]
TEAMS, AGENTS = "teams", "managed-agents"
PREFIX = b"v1:"
TEAM_KINDS = (TEAM, TEAM_CATALOG)
"""Some clients publish a team's text with the team as well; no text forbids it."""


@clause("AP-MIG-56", needs=MIGRATOR)
def test_instructions_are_encrypted_to_their_author(publishing, laptop, stub, family):
    versions = migrated(publishing, laptop, stub, family)
    wanted = {subject: record["instructions"] for subject, record in subjects(family)}
    found = {subject_of(one): text_of(one, laptop.key) for one in versions}
    if found != wanted or len(versions) != len(wanted):
        raise Broken(f"one version each: {wanted}", f"{len(versions)} versions: {found}")
    heard = [one.event for one in stub.heard() if one.kind not in TEAM_KINDS]
    if secrets_in(orjson.dumps(heard).decode(), list(wanted.values())):
        raise Broken("no text of instructions outside a team", "one of them can be read")
    laptop.runs()
    if fresh := {one.id for one in stored(stub)} - {one.id for one in versions}:
        raise Broken("no new version in the second run", f"{len(fresh)} of them")


@clause("AP-MIG-57", needs=MIGRATOR)
def test_a_changed_text_is_one_newer_version(publishing, laptop, stub, family, clock):
    before = migrated(publishing, laptop, stub, family)
    subject, record = subjects(family)[0]
    current = next((one for one in before if subject in one.tags), None)
    if current is None:
        raise Inconclusive(f"no version about {subject} was published (AP-MIG-56)")
    ahead = stub.put(current.resigned(laptop.key, created_at=clock.now() + 60))
    older = {one.id for one in (*before, ahead)}
    record["instructions"] = "Edited while the version is dated ahead."
    laptop.has_family(family)
    outcome = laptop.runs()
    if not older <= {one.id for one in stored(stub)}:
        raise Broken("every older version to stay", f"{len(stored(stub))} are there; {outcome}")
    if any(one.kind == DELETION for one in stub.heard()):
        raise Broken("no deletion of a version", "a kind 5 was sent")
    fresh = [one for one in stored(stub) if one.id not in older]
    if not fresh and not outcome.says_synced:
        return
    if [subject_of(one) for one in fresh] != [subject]:
        raise Broken("one new version, about the subject that changed", f"{len(fresh)}; {outcome}")
    if fresh[0].created_at <= ahead.created_at:
        raise Broken(f"a date past {ahead.created_at}", str(fresh[0].created_at))
    assert text_of(fresh[0], laptop.key) == record["instructions"]


@clause("AP-MIG-58", needs=MIGRATOR)
def test_a_version_that_cannot_be_read_is_told(publishing, laptop, stub, family, clock):
    migrated(publishing, laptop, stub, family)
    subject, _ = subjects(family)[0]
    invalid = Draft(INSTRUCTIONS, clock.now() + 30, (subject,), "not a ciphertext")
    stub.put(invalid.signed_by(laptop.key))
    known = {one.id for one in stored(stub)}
    outcome = laptop.runs()
    if [one for one in stored(stub) if one.id not in known]:
        raise Broken("the invalid version to stay the current one", f"a new one; {outcome}")
    if outcome.says_synced and not outcome.mentions("invalid"):
        raise Broken("a word about the version that cannot be read", str(outcome))


@clause("AP-MIG-59", needs=MIGRATOR)
@each("case", data("family/texts"))
def test_a_text_that_is_too_long_is_reported(publishing, laptop, stub, family, case):
    publishing(INSTRUCTIONS)
    (subject, record), (neighbour, _) = subjects(family)
    record["instructions"] = case["pattern"] * case["repeat"]
    laptop.has(copy.deepcopy(data("personas/three")))
    laptop.has_family(family)
    outcome = laptop.runs()
    sent = [one for one in stub.heard() if one.kind == INSTRUCTIONS]
    if any(list(subject) in one.event.get("tags", []) for one in sent):
        raise Broken("no version of a text that may not be published", "one was sent")
    if outcome.says_synced:
        raise Broken("the text to be reported as not published", str(outcome))
    if not any(neighbour in one.tags for one in stored(stub)):
        raise Broken("the neighbour's text to be published", f"it is not there; {outcome}")


# -- helpers -------------------------------------------------------------------------


def subjects(family):
    """The subject tags of the records that have instructions, with their records."""
    found = [(("t", one["id"]), one) for one in family[TEAMS]]
    found += [(("p", one["pubkey"]), one) for one in family[AGENTS]]
    return [(subject, one) for subject, one in found if "instructions" in one]


def migrated(publishing, laptop, stub, family):
    """The versions after a first run that has to work. Raises Inconclusive."""
    publishing(INSTRUCTIONS)
    laptop.has(copy.deepcopy(data("personas/three")))
    laptop.has_family(family)
    outcome = laptop.runs()
    if not stored(stub):
        raise Inconclusive(f"the first run published no instructions: {outcome}")
    return stored(stub)


def stored(stub):
    return [one for one in stub.stored() if one.kind == INSTRUCTIONS]


def subject_of(event):
    """Its subject tag. Raises Broken where it has not exactly one, or an `h`."""
    named = [tag for tag in event.tags if tag[0] in ("p", "t", "h")]
    if len(named) != 1 or len(named[0]) != 2 or named[0][0] == "h":
        raise Broken("one subject tag of two elements and no h", str(event.tags))
    return named[0]


def text_of(event, key):
    """Its text, as its author reads it. Raises Broken."""
    try:
        plaintext = nip44.decrypt(event.content, nip44.conversation_key(key, key.pubkey))
    except nip44.CannotDecrypt as error:
        raise Broken("NIP-44 v2 under the owner's own key", str(error)) from None
    if not plaintext.startswith(PREFIX):
        raise Broken("a plaintext that begins with v1:", repr(plaintext[:10]))
    return plaintext.removeprefix(PREFIX).decode("utf-8", "replace")
