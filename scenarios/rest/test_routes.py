"""REST: routes that were torn out are gone, and answers are what they say they are."""

import orjson

from nip_ap.scenario import Broken, address, clause, each

UUID = "00000000-0000-4000-8000-000000000000"
GONE = (
    ("GET", "/api/events"),
    ("POST", "/api/events"),
    ("GET", "/api/users/{pubkey}/profile"),
    ("GET", "/api/users/{pubkey}"),
    ("GET", "/api/channels"),
    ("GET", "/channels/{channel}/messages"),
    ("POST", "/channels/{channel}/messages"),
    ("GET", "/channels/{channel}/threads/{event}"),
)


@clause("AP-REST-01")
def test_routes_that_do_not_exist_say_nothing_else(owner, persona, slug):
    event = owner.publish(persona(slug))
    words = {"pubkey": owner.pubkey, "channel": UUID, "event": event.id}
    wrong = {}
    for method, path in GONE:
        body = orjson.dumps(event.to_json()) if method == "POST" else b""
        response = owner.http.fetch(method, path.format(**words), body=body)
        known = [word for word in (owner.pubkey, event.id, "Traceback") if word in response.text]
        if response.status != 404 or known:
            wrong[f"{method} {path}"] = f"HTTP {response.status} {response.text[:100]}"
    if wrong:
        raise Broken("404 and nothing else", str(wrong))


@clause("AP-REST-02")
@each("path", ("/query", "/count"))
def test_answers_are_what_they_say_they_are(owner, persona, slug, path):
    owner.publish(persona(slug))
    filters = orjson.dumps([address(owner, slug).to_json()])
    types = {}
    for body, what in ((filters, "an answer"), (b"{", "a refusal")):
        headers = owner.http.credentials(path, body)
        response = owner.http.fetch("POST", path, body=body, headers=headers)
        types[what] = response.header("content-type").partition(";")[0]
    assert types == dict.fromkeys(types, "application/json")
