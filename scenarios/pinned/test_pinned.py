"""PIN: what an agent is spawned with is pinned in its record, and drift from its persona shows.

Data in, data out: the suite's own client by default, a third party's where its command (--migrator)
has the placeholder {task}.
"""

import orjson

from nip_ap.clients.claims import canaries, encodings, secrets_in
from nip_ap.scenario import Broken, Inconclusive, clause, data, each
from nip_ap_client.tasks import BACKFILL, DRIFT, SPAWN, VERSIONS

PINNED = ("system_prompt", "model", "provider")
FLAGS = {"is_builtin": False, "is_active": True}
DATES = dict.fromkeys(("created_at", "updated_at"), "2025-04-05T06:07:08+00:00")


def bodies():
    """The bodies of the reference vectors that a record can express, each once."""
    found = {}
    for event in data("vectors")["events"]:
        body = orjson.loads(event["content"])
        if "system_prompt" in body:
            key = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
            entry = found.setdefault(key, {"name": event["name"], "body": body, "hashes": {}})
            entry["hashes"][event["content_sha256"]] = event["order"]
    return list(found.values())


@clause("AP-PIN-01")
@each("vector", bodies())
def test_the_version_is_the_hash_of_the_vectors_content(pinning, vector, check):
    record = {"id": "one", "avatar_url": None, **vector["body"], **FLAGS, **DATES}
    variants = [record, record | {"id": "two", "env_vars": {"A": "b"}, "is_active": False}]
    pinning.has(variants)
    answers = pinning.does(VERSIONS)
    for identifier in ("one", "two"):
        order = vector["hashes"].get(answers.get(identifier))
        if order is None:
            raise Broken(f"one of {vector['hashes']}", str(answers.get(identifier)))
    check.note(f"{vector['name']}: the keys are in the order of {order}")


@clause("AP-PIN-02")
@each("case", data("pinned/drift"))
def test_the_badge_says_how_agent_and_persona_differ(pinning, case):
    pinning.has([data("pinned/persona") | case["persona"]], [case["agent"]])
    before = pinning.agents()
    badge = pinning.does(DRIFT).get("the agent")
    if badge != case["state"]:
        raise Broken(case["state"], repr(badge))
    assert pinning.agents() == before


@clause("AP-PIN-03")
def test_a_pinned_record_changes_only_by_delete_and_respawn(pinning):
    persona = data("pinned/persona")
    pinning.has([persona], [])
    pinning.does(SPAWN)
    (agent,) = pinning.agents()
    assert pinned_part(agent) == pinned_part(persona)
    edited = persona | {"system_prompt": "Edited.", "model": "another", "provider": "elsewhere"}
    pinning.has([edited])
    for task in (SPAWN, BACKFILL, DRIFT):
        pinning.does(task)
    assert pinning.agents() == [agent]
    pinning.has([edited], [])
    pinning.does(SPAWN)
    (respawned,) = pinning.agents()
    assert pinned_part(respawned) == pinned_part(edited)


@clause("AP-PIN-04")
@each("case", data("pinned/backfill"))
def test_backfill_stamps_once_and_leaves_orphans_alone(pinning, case):
    persona = data("pinned/persona")
    pinning.has([persona], [case["agent"]])
    pinning.does(BACKFILL)
    (first,) = pinning.agents()
    if case["stamped"]:
        assert pinned_part(first) == pinned_part(persona)
        assert first.get("persona_source_version") == pinning.does(VERSIONS).get(persona["id"])
    else:
        assert first == case["agent"]
    pinning.has([persona | {"system_prompt": "Edited."}])
    pinning.does(BACKFILL)
    assert pinning.agents() == [first]


@clause("AP-PIN-05")
def test_env_vars_are_pinned_on_the_record_and_on_no_wire(pinning, check, slug):
    secret, shown = canaries(check.seed)
    env = {"A_TOKEN": secret[0], "B_TEXT": f"x\n{secret[1]}"}
    persona = data("pinned/persona") | {"id": slug, "system_prompt": shown, "env_vars": env}
    pinning.has([persona], [])
    pinning.does(SPAWN)
    (agent,) = pinning.agents()
    assert agent.get("env_vars") == env
    pinning.has([persona | {"env_vars": {"A_TOKEN": secret[2]}}])
    for task in (SPAWN, BACKFILL, DRIFT):
        pinning.does(task)
    assert pinning.agents()[0].get("env_vars") == env
    text = pinning.publishes(check)
    if not any(form in text for form in encodings(shown)):
        raise Inconclusive("the mark in the prompt was not seen on the wire: the search is blind")
    check.ledger.control("no secret", "found on the wire: the mark in the prompt", "which field")
    found = secrets_in(text, secret)
    if found or '\\"env_vars\\"' in text:
        raise Broken("no env_vars on the wire", str(found or "the key env_vars"))


@clause("AP-PIN-06")
def test_records_without_the_newer_fields_read_cleanly(pinning):
    older = data("pinned/older_agents")
    persona = data("pinned/persona")
    pinning.has([persona], older)
    badges = pinning.does(DRIFT)
    assert badges == {"made in May": "unlinked", "linked": "never stamped"}
    pinning.does(BACKFILL)
    may, linked = pinning.agents()
    for before, after in zip(older, (may, linked), strict=True):
        lost = [
            name
            for name, value in before.items()
            if value is not None
            and name not in (*PINNED, "updated_at")
            and after.get(name) != value
        ]
        if lost:
            raise Broken("a record written back without loss", f"{lost} changed or gone")
    assert may.get("persona_source_version") is None
    assert may.get("system_prompt") == "Its own prompt."
    assert linked.get("provider") == persona["provider"]


def pinned_part(value):
    return {name: value.get(name) for name in PINNED}
