"""PROFILE: profiles, the names they claim, and what an agent lets be done with it (NIP-05)."""

from nip_ap.checking.profiles import (
    AGENT_PROFILE,
    NAMES,
    add_policy,
    domain_of,
    holder_of,
    named_profile,
    newer_than_all,
)
from nip_ap.scenario import (
    ANY,
    PROFILE,
    Broken,
    Draft,
    Inconclusive,
    accepted,
    all_of,
    clause,
    each,
    every_door,
)

ELSEWHERE = "elsewhere.example"


# -- profiles ----------------------------------------------------------------------------


@clause("AP-PROFILE-01")
@every_door
def test_a_newer_profile_replaces_the_older(owner, clock, via):
    at = newer_than_all(owner, PROFILE, clock.now() + 1)
    first = owner.publish(Draft(PROFILE, at, (), '{"name":"first"}'), via=via)
    mine = all_of(owner, kinds=[PROFILE])
    assert owner.read(mine, via=via).events == (first,)
    second = owner.publish(Draft(PROFILE, at + 10, (), '{"name":"second"}'), via=via)
    owner.publish(Draft(PROFILE, at - 10, (), '{"name":"late"}'), expect=ANY, via=via)
    assert owner.read(mine, via=via).events == (second,)


# -- names -------------------------------------------------------------------------------


def named(check, word="name"):
    """A name that nobody else claims."""
    return check.slug(word)


@clause("AP-PROFILE-02")
def test_a_name_that_a_profile_claims_resolves(owner, check):
    name = named(check)
    assert holder_of(name, owner) is None
    at = newer_than_all(owner, PROFILE, check.clock.now() + 1)
    owner.publish(named_profile(owner, f"{name}@{domain_of(owner)}", at=at))
    assert holder_of(name, owner) == owner.pubkey


@clause("AP-PROFILE-03")
def test_a_name_follows_the_profile(owner, check):
    old, new = named(check, "old"), named(check, "new")
    at, domain = newer_than_all(owner, PROFILE, check.clock.now() + 1), domain_of(owner)
    owner.publish(named_profile(owner, f"{old}@{domain}", at=at))
    if holder_of(old, owner) != owner.pubkey:
        raise Inconclusive("the name does not resolve before")
    owner.publish(named_profile(owner, f"{new}@{domain}", at=at + 10))
    assert holder_of(new, owner) == owner.pubkey
    assert holder_of(old, owner) is None


@clause("AP-PROFILE-04")
def test_a_name_of_another_domain_gives_up_the_one_here(owner, check):
    name, at = named(check), newer_than_all(owner, PROFILE, check.clock.now() + 1)
    owner.publish(named_profile(owner, f"{name}@{domain_of(owner)}", at=at))
    if holder_of(name, owner) != owner.pubkey:
        raise Inconclusive("the name does not resolve before")
    owner.publish(named_profile(owner, f"{name}@{ELSEWHERE}", at=at + 10))
    assert holder_of(name, owner) is None


@clause("AP-PROFILE-05")
def test_any_page_may_ask_for_names(owner, check):
    name = named(check)
    at = newer_than_all(owner, PROFILE, check.clock.now() + 1)
    owner.publish(named_profile(owner, f"{name}@{domain_of(owner)}", at=at))
    for asked in (name, named(check, "absent")):
        response = owner.http.fetch("GET", f"{NAMES}?name={asked}")
        assert response.status == 200
        assert response.header("access-control-allow-origin") == "*"
        assert response.header("content-type").partition(";")[0] == "application/json"
        assert isinstance(response.json().get("names"), dict)


# -- agents ------------------------------------------------------------------------------


@clause("AP-PROFILE-06")
@each("policy", ("nobody", "owner_only"))
def test_an_agent_that_does_not_want_it_is_not_added(owner, stranger, channel, clock, policy):
    agent = stranger
    at = newer_than_all(agent, AGENT_PROFILE, clock.now() + 1)
    agent.publish(add_policy(policy, at=at))
    answer = owner.send(owner.signs(channel.membership(agent.pubkey)))
    if answer.accepted:
        raise Broken(f"a refusal to add an agent whose policy is {policy}", str(answer))
    agent.publish(add_policy("anyone", at=at + 5, alt=f"no longer {policy}"))
    owner.publish(channel.membership(agent.pubkey))
    agent.publish(channel.message("now I am in"))


@clause("AP-PROFILE-07")
def test_an_agent_without_a_policy_is_added(owner, stranger, other_owner, channel, clock):
    at = newer_than_all(stranger, AGENT_PROFILE, clock.now() + 1)
    stranger.publish(add_policy("anyone", at=at))
    for agent in (stranger, other_owner):
        accepted(owner, channel.membership(agent.pubkey))
        accepted(agent, channel.message(f"{agent.name} is in"))


@clause("AP-PROFILE-08")
def test_who_adds_themselves_needs_no_leave(owner, channel, clock):
    at = newer_than_all(owner, AGENT_PROFILE, clock.now() + 1)
    owner.publish(add_policy("nobody", at=at))
    accepted(owner, channel.membership(owner.pubkey))
