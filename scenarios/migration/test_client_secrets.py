"""MIG, side (b): what must not be on the wire, and whose run it is.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

from nip_ap.clients.claims import (
    canaries,
    encodings,
    heads_are_there,
    secrets_in,
    texts_of,
)
from nip_ap.clients.device import body_of, published_of
from nip_ap.scenario import (
    Broken,
    Inconclusive,
    clause,
    each,
)

MIGRATOR = ["migrator"]


# -- what must not be on the wire ----------------------------------------------------


@clause("AP-MIG-22", needs=MIGRATOR)
def test_no_secret_is_on_any_wire(working, laptop, stub, personas, check):
    secret, shown = canaries(check.seed)
    record = published_of(personas)[0]
    fields = {"env_vars": {"A_TOKEN": secret[0], "B_TEXT": f"x\n{secret[1]}\ny"}}
    laptop.has(personas)
    laptop.edits(record["id"], system_prompt=f"Say {shown}.", x_private=secret[2], **fields)
    first = laptop.runs()
    if not any(form in texts_of(stub.log()) for form in encodings(shown)):
        raise Inconclusive("the mark in the prompt was not seen on the wire: the search is blind")
    check.ledger.control("no secret", "found on the wire: the mark in a prompt", "which field")
    with laptop.publishes_nothing_new(after=" after an edit of env_vars alone"):
        laptop.edits(record["id"], env_vars={"A_TOKEN": secret[0], "C_NEW": secret[1]})
        second = laptop.runs()
    said = "".join(one.out + one.err for one in (first, second))
    for where, text in (("the wire", texts_of(stub.log())), ("the migrator's output", said)):
        found = secrets_in(text, secret)
        if found:
            raise Broken(f"no secret on {where}", f"{found} found there")
    keys = {name for head in laptop.heads().values() for name in body_of(head)}
    if "env_vars" in keys:
        raise Broken("no env_vars in any content", "the key env_vars")


@clause("AP-MIG-23", needs=MIGRATOR)
def test_nothing_but_the_fields_of_a_persona_leaks(laptop, personas):
    known = {"display_name", "system_prompt", "avatar_url", "runtime", "model", "provider"}
    known |= {"name_pool", "respond_to", "respond_to_allowlist", "parallelism"}
    known |= {"description", "session_policy", "acp_command"}
    laptop.has(personas)
    laptop.edits(published_of(personas)[0]["id"], x_note="unknown to every text")
    outcome = laptop.runs()
    if not laptop.heads():
        raise Inconclusive(f"nothing was published: {outcome}")
    for slug, head in laptop.heads().items():
        extra = sorted(body_of(head).keys() - known)
        if extra:
            raise Broken("only keys that NIP-AP defines", f"{extra} in {slug}")
        tags = sorted({tag[0] for tag in head.tags} - {"d", "alt", "shared"})
        if tags:
            raise Broken("no tags but d, alt and shared", f"{tags} in {slug}")


# -- owners and keys -----------------------------------------------------------------


@clause("AP-MIG-32", needs=MIGRATOR)
def test_a_second_owners_run_is_kept_apart(working, laptop, devices, stub, personas):
    colleague = devices("colleague", role="colleague", at=laptop)
    laptop.has(personas)
    stub.goes_down()
    laptop.runs()
    stub.comes_up()
    colleague.runs()
    foreign = [one for one in stub.heard() if one.event.get("pubkey") == laptop.key.pubkey]
    if foreign:
        raise Broken(
            "no event of the first owner on the second's connection", f"{len(foreign)} of them"
        )
    heads_are_there(colleague, published_of(personas))
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    with laptop.publishes_nothing_new(after=" when both run again"):
        colleague.runs()
        laptop.runs()


@clause("AP-MIG-33", needs=MIGRATOR)
@each("key_file", ["missing", "garbled"])
def test_without_a_usable_key_nothing_is_published(laptop, stub, personas, key_file):
    laptop.has(personas)
    if key_file == "missing":
        laptop.key_file.unlink()
    else:
        laptop.key_file.write_text("this is no key\n", encoding="utf-8")
    outcome = laptop.runs()
    if stub.heard():
        authors = sorted({str(one.event.get("pubkey"))[:8] for one in stub.heard()})
        raise Broken("nothing published without a key", f"{len(stub.heard())} events by {authors}")
    if outcome.says_synced:
        raise Broken("no claim that all is synced", str(outcome))
    if key_file == "missing" and laptop.key_file.exists():
        raise Broken("no new identity", "a key file that was not there before")
    laptop.gets_key()
    laptop.runs()
    if not laptop.heads():
        raise Inconclusive("with the right key nothing is published either (AP-MIG-01)")
    heads_are_there(laptop, published_of(personas))
