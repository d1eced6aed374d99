"""MIG, side (b): teams, managed agents and team catalogs, from the files beside personas.json.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store. Whatever a migrator does not
publish at all is not applicable to it.
"""

from nip_ap.clients.claims import canaries, secrets_in
from nip_ap.clients.device import body_of
from nip_ap.clients.stub import texts_of
from nip_ap.scenario import (
    DELETION,
    MANAGED_AGENT,
    TEAM,
    TEAM_CATALOG,
    Broken,
    Inconclusive,
    clause,
    data,
    each,
)

MIGRATOR = ["migrator"]
TEAMS, AGENTS = "teams", "managed-agents"
MEMBERS = ("plain-1", "plain-2")
SHARED = ("shared", "true")
NAMED = ("name", "persona_id")
STATE = (*NAMED, "respond_to", "respond_to_allowlist", "parallelism")
"""What a linked agent publishes of itself; only its name and its link are asked for."""
KINDS = [
    {"name": "team", "kind": TEAM, "file": TEAMS, "address": "id"},
    {"name": "agent", "kind": MANAGED_AGENT, "file": AGENTS, "address": "pubkey"},
]


# -- once each -----------------------------------------------------------------------


@clause("AP-MIG-49", needs=MIGRATOR)
@each("case", KINDS)
def test_each_is_published_once_and_again_when_it_changes(publishing, laptop, stub, family, case):
    publishing(case["kind"])
    before = migrated(laptop, family, case["kind"])
    wanted = {one[case["address"]] for one in family[case["file"]]}
    if before.keys() != wanted:
        raise Broken(f"heads of {sorted(wanted)}", str(sorted(before)))
    since = len(stub.log())
    laptop.runs()
    if fresh := ids_of(stub, case["kind"], since) - {one.id for one in before.values()}:
        raise Broken("no new id in the second run", f"{len(fresh)} of them")
    edited = family[case["file"]][0]
    edited["name"] = "Renamed"
    laptop.has_family(family)
    outcome = laptop.runs()
    after = laptop.heads(case["kind"])
    changed = {one for one in wanted if after[one].id != before[one].id}
    if changed != {edited[case["address"]]} or body_of(after[changed.pop()])["name"] != "Renamed":
        raise Broken("one new version, with the new name", f"{sorted(changed)}; {outcome}")


@clause("AP-MIG-50", needs=MIGRATOR)
@each("case", KINDS)
def test_what_leaves_its_file_is_deleted(deleting, publishing, laptop, stub, family, case):
    publishing(case["kind"])
    migrated(laptop, family, case["kind"])
    family[case["file"]].append(another(case))
    laptop.has_family(family)
    laptop.runs()
    gone = family[case["file"]].pop(0)[case["address"]]
    laptop.has_family(family)
    laptop.crashes_before_an_answer()
    outcome = laptop.runs()
    left = laptop.heads(case["kind"])
    if gone in left:
        raise Broken("its deletion, after a crash too", f"its head is there; {outcome}")
    if not left:
        raise Broken("the others to stay", f"none is left; {outcome}")


# -- what goes out -------------------------------------------------------------------


@clause("AP-MIG-51", needs=MIGRATOR)
def test_a_linked_agent_has_its_own_state_alone(publishing, laptop, family):
    publishing(MANAGED_AGENT)
    head = migrated(laptop, family, MANAGED_AGENT)[family[AGENTS][0]["pubkey"]]
    body = body_of(head)
    extra = {"system_prompt", "model", "provider", "persona_source_version"} & set(body)
    if extra:
        raise Broken("no field of the definition", str(sorted(extra)))
    own = {name: family[AGENTS][0][name] for name in STATE if name in body or name in NAMED}
    assert {name: body.get(name) for name in own} == own


@clause("AP-MIG-52", needs=MIGRATOR)
def test_an_agent_without_definition_keeps_its_fields(publishing, laptop, family):
    publishing(MANAGED_AGENT)
    record = family[AGENTS][1]
    body = body_of(migrated(laptop, family, MANAGED_AGENT)[record["pubkey"]])
    kept = ("name", "system_prompt", "model", "provider")
    assert {name: body.get(name) for name in kept} == {name: record[name] for name in kept}


@clause("AP-MIG-53", needs=MIGRATOR)
@each("case", KINDS)
def test_no_secret_and_no_run_state_goes_out(publishing, laptop, stub, family, check, case):
    publishing(case["kind"])
    secret, shown = canaries(check.seed)
    for record in family[case["file"]]:
        record |= dict.fromkeys(data("family/never_published")[case["file"]], secret[0])
        record |= {"env_vars": {"TOKEN": secret[1]}, "unknown_key": secret[2], "name": shown}
    migrated(laptop, family, case["kind"])
    text = texts_of(stub.log())
    if shown not in text:
        raise Inconclusive("the mark in the name was not seen on the wire: the search is blind")
    if found := secrets_in(text, secret):
        raise Broken("no mark of a secret on the wire", f"{len(found)} of 3")
    prompts = [one for one in laptop.heads(TEAM).values() if '"Hello."' in one.content]
    if prompts:
        raise Broken("no prompt of a member in a team", prompts[0].content)


# -- catalogs ------------------------------------------------------------------------


@clause("AP-MIG-54", needs=MIGRATOR)
def test_a_shared_team_embeds_its_members(publishing, laptop, stub, family, check):
    publishing(TEAM_CATALOG)
    secret, _ = canaries(check.seed)
    private = {"env_vars": {"TOKEN": secret[0]}, "respond_to_allowlist": [secret[1]]}
    team = family[TEAMS][0]
    head = migrated(laptop, family, TEAM_CATALOG, private)[team["id"]]
    if [tag for tag in head.tags if tag[0] == "shared"] != [SHARED]:
        raise Broken('exactly one ["shared","true"]', str(head.tags))
    places = [head.content.find(f'"{name}"') for name in ("Member 2", "Member 1")]
    if -1 in places or places != sorted(places):
        raise Broken("the members in the order of the team", head.content)
    if found := secrets_in(texts_of(stub.log()), secret):
        raise Broken("no secret of a member on the wire", f"{len(found)} marks")


@clause("AP-MIG-55", needs=MIGRATOR)
def test_un_sharing_a_team_deletes_nothing(publishing, laptop, stub, family):
    publishing(TEAM_CATALOG)
    team = family[TEAMS][0]
    before = migrated(laptop, family, TEAM_CATALOG)[team["id"]]
    team["shared"] = False
    laptop.has_family(family)
    outcome = laptop.runs()
    after = laptop.heads(TEAM_CATALOG).get(team["id"])
    if after is None:
        raise Broken("a newer head without the tag", f"none at all; {outcome}")
    if after.created_at <= before.created_at or SHARED in after.tags:
        raise Broken("a newer head without the tag", f"{after.tags}; {outcome}")
    since = len(stub.log())
    laptop.runs()
    more = [one for one in stub.heard(since) if one.kind in (TEAM_CATALOG, DELETION)]
    if more:
        raise Broken("nothing more in the next run", f"{len(more)} events")


# -- helpers -------------------------------------------------------------------------


def members(private):
    dates = dict.fromkeys(("created_at", "updated_at"), "2025-04-05T06:07:08+00:00")
    plain = {"system_prompt": "Hello.", "is_builtin": False, "is_active": True, **dates}
    return [
        {"id": name, "display_name": f"Member {name[-1]}", **plain, **private} for name in MEMBERS
    ]


def migrated(laptop, family, kind, private=None):
    """The heads of a kind after a first run that has to work. Raises Inconclusive."""
    laptop.has(members(private or {}))
    laptop.has_family(family)
    outcome = laptop.runs()
    if not laptop.heads(kind):
        raise Inconclusive(f"the first run published nothing of kind {kind}: {outcome}")
    return laptop.heads(kind)


def another(case):
    """A record more, so that the file is not empty when one leaves it."""
    record = dict(data("family/records")[case["file"]][-1], name="One more", shared=False)
    return record | {case["address"]: "e" * 64}


def ids_of(stub, kind, since):
    return {one.event.get("id") for one in stub.heard(since) if one.kind == kind}
