"""AUTH: who is there, on the WebSocket (NIP-42)."""

from urllib.parse import urlsplit

from nip_ap.nostr import relay_auth_event
from nip_ap.scenario import (
    Broken,
    NoAnswer,
    NotApplicable,
    accepted,
    address,
    clause,
)

MINUTE = 60


@clause("AP-AUTH-01")
def test_each_connection_gets_a_challenge_of_its_own_to_answer(owner, persona, slug):
    first, second = owner.unauthenticated(), owner.unauthenticated()
    assert challenge_of(first) != ""
    assert challenge_of(second) != challenge_of(first)
    second.authenticate()
    accepted(second, persona(slug))


def challenge_of(early):
    """The challenge that the relay sent on a connection."""
    return early.ws.await_challenge(early.key)


def answer_to(early, *, challenge=None, relay=None, at=None):
    """The answer to a connection's challenge, right but for what is given."""
    return relay_auth_event(
        early.key,
        challenge=challenge or challenge_of(early),
        relay=relay or early.ws.url,
        at=early.now() if at is None else at,
    )


@clause("AP-AUTH-04")
def test_a_right_answer_to_the_challenge_is_confirmed(owner):
    early = owner.unauthenticated()
    right = answer_to(early)
    early.ws.send(["AUTH", right.to_json()])
    try:
        early.ws.wait(lambda: early.ws.has_ok(right) or early.ws.misnamed, "OK for AUTH")
    except NoAnswer as error:
        raise Broken("OK true that names a right AUTH event", str(error)) from error
    if not early.ws.has_ok(right):
        named = early.ws.misnamed[0].event_id
        raise Broken(f"an OK that names {right.id}", f"one that names {named!r}")
    assert early.ws.answer_to(right).accepted is True


def wrong_answers(early, clock):
    """Answers that are wrong in one respect each."""
    good = answer_to(early)
    return {
        "of another challenge": answer_to(early, challenge="0" * 64),
        "of a challenge that is longer": answer_to(early, challenge=challenge_of(early) + "0"),
        "for another relay": answer_to(early, relay="wss://relay.example"),
        "of kind 1": good.resigned(early.key, kind=1),
        "20 minutes old": answer_to(early, at=clock.now() - 20 * MINUTE),
        "with a broken signature": good.altered(sig=f"{int(good.sig, 16) ^ 1:0128x}"),
        "with another's signature": good.altered(pubkey="0" * 63 + "1"),
    }


@clause("AP-AUTH-02")
def test_a_wrong_answer_does_not_authenticate(owner, persona, slug, clock, relay):
    probe = owner.unauthenticated()
    event = owner.signs(persona(slug))
    for wrong in wrong_answers(probe, clock):
        early = owner.unauthenticated()
        answer = early.ws.authenticate_with(wrong_answers(early, clock)[wrong])
        assert answer.accepted is False, wrong
        if relay.offers("auth-to-write"):
            assert early.send(event).accepted is False, wrong
    assert owner.head(slug) is None
    right = owner.unauthenticated()
    right.authenticate()
    accepted(right, event)
    assert owner.head(slug) == event


@clause("AP-AUTH-03")
def test_reading_before_authentication_is_closed(owner, persona, slug, relay):
    if not relay.enforces("auth-to-read"):
        raise NotApplicable(relay["auth-to-read"].evidence)
    event = owner.publish(persona(slug, shared=True))
    early = owner.unauthenticated()
    reading = early.try_to_read(address(owner, slug))
    early.authenticate()
    assert early.read(address(owner, slug)).events == (event,)
    assert reading.events == ()
    assert (reading.refusal or "").startswith("auth-required:")


@clause("AP-AUTH-03", needs=["count"])
def test_counting_before_authentication_is_closed(owner, persona, slug, relay):
    if not relay.enforces("auth-to-read"):
        raise NotApplicable(relay["auth-to-read"].evidence)
    owner.publish(persona(slug, shared=True))
    early = owner.unauthenticated()
    counted = early.counted(address(owner, slug))
    early.authenticate()
    assert early.count(address(owner, slug)) == 1
    assert (counted.refusal or "").startswith("auth-required:")


# -- crosswise ---------------------------------------------------------------------------


def stays_out(early, event, relay):
    """Claim: a connection whose authentication was refused is not authenticated."""
    if relay.offers("auth-to-write"):
        assert early.send(event).accepted is False, "it may write after its refused AUTH"


@clause("AP-AUTH-10")
def test_another_connections_challenge_is_refused(owner, persona, slug, relay):
    first, second = owner.unauthenticated(), owner.unauthenticated()
    event = owner.signs(persona(slug))
    borrowed = answer_to(second, challenge=challenge_of(first))
    assert second.ws.authenticate_with(borrowed).accepted is False
    stays_out(second, event, relay)
    assert first.ws.authenticate_with(answer_to(first)).accepted is True
    accepted(first, event)


@clause("AP-AUTH-11")
def test_a_used_authentication_is_refused_elsewhere(owner, persona, slug, relay):
    first, second = owner.unauthenticated(), owner.unauthenticated()
    event = owner.signs(persona(slug))
    used = answer_to(first)
    assert first.ws.authenticate_with(used).accepted is True
    challenge_of(second)
    assert second.ws.authenticate_with(used).accepted is False
    stays_out(second, event, relay)
    accepted(first, event)


@clause("AP-AUTH-12")
def test_the_same_host_with_another_port_is_another_relay(owner, persona, slug, relay):
    event = owner.signs(persona(slug))
    early, right = owner.unauthenticated(), owner.unauthenticated()
    elsewhere = answer_to(early, relay=of_another_port(early.ws.url))
    assert early.ws.authenticate_with(elsewhere).accepted is False
    stays_out(early, event, relay)
    assert right.ws.authenticate_with(answer_to(right)).accepted is True
    accepted(right, event)


def of_another_port(url):
    """The URL of a neighbour: the same host, the next port."""
    parts = urlsplit(url)
    port = parts.port or {"ws": 80}.get(parts.scheme, 443)
    host = parts.netloc.removesuffix(f":{parts.port}")
    return parts._replace(netloc=f"{host}:{port + 1 if port < 65_535 else port - 1}").geturl()
