"""REST: routes that were torn out are gone, and answers are what they say they are."""

import orjson

from nip_ap.scenario import Broken, Filter, address, clause

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
def test_answers_are_what_they_say_they_are(owner, persona, slug):
    event = owner.signs(persona(slug))
    filters = orjson.dumps([address(owner, slug).to_json()])
    asked = {
        "/events": orjson.dumps(event.to_json()),
        "/query": filters,
        "/count": filters,
    }
    types = {}
    for path, body in asked.items():
        types[path] = owner.http.post(path, body).header("content-type")
        types[f"{path} refused"] = owner.http.post(path, b"{").header("content-type")
    wrong = {path: one for path, one in types.items() if not one.startswith("application/json")}
    assert wrong == {}
    assert owner.read(Filter.of(kinds=[event.kind], ids=[event.id])).events == (event,)
