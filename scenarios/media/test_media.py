"""MEDIA: uploads and downloads (Blossom), and `imeta` tags that fit what is stored (NIP-92)."""

from nip_ap.checking.media import (
    Stored,
    bare_svg,
    declared_svg,
    fetched,
    headers_for,
    large_gif,
    page,
    pdf,
    png,
    program,
    sent,
    unknown,
    uploaded,
)
from nip_ap.nostr.blossom import authorization_header, sha256_of, upload_authorization
from nip_ap.scenario import (
    NOTE,
    Broken,
    Draft,
    Filter,
    NotApplicable,
    SecretKey,
    accepted,
    clause,
    destructive,
)

GIF_LIMIT = 10 * 2**20
HOUR = 3600


def takes(owner, body, **headers):
    """Claim: the relay takes this body. Gives it with what it was answered."""
    response = sent(owner, body, headers_for(owner, body, **headers))
    said = response.json()
    if response.status != 200 or not isinstance(said, dict):
        raise Broken("an upload to be taken", f"HTTP {response.status} {response.text[:200]}")
    return Stored(body, said)


# -- uploading ---------------------------------------------------------------------------


@clause("AP-MEDIA-01")
def test_what_is_uploaded_is_described_and_served(owner, check):
    body = png(check.slug())
    stored = takes(owner, body)
    said = stored.said
    assert (said.get("sha256"), said.get("size")) == (stored.sha256, len(body))
    assert said.get("type") == "image/png"
    assert type(said.get("uploaded")) is int
    assert stored.path.endswith(f"/media/{stored.sha256}.png")
    response = fetched(owner, f"/media/{stored.sha256}.png")
    assert (response.status, response.sha256) == (200, stored.sha256)
    assert response.header("content-type") == "image/png"


def wrong_authorizations(owner, body):
    """Headers of an upload, wrong in one respect each."""
    good = upload_authorization(owner.key, body, at=owner.now())
    right = headers_for(owner, body)
    another = SecretKey.derived("AP-MEDIA-02", "somebody else")

    def tagged(name, value):
        tags = tuple((name, value) if tag[0] == name else tag for tag in good.tags)
        return good.resigned(owner.key, tags=tags)

    def without(name):
        return good.resigned(owner.key, tags=tuple(tag for tag in good.tags if tag[0] != name))

    events = {
        "another kind": good.resigned(owner.key, kind=27235),
        "another verb": tagged("t", "delete"),
        "no verb": without("t"),
        "another hash": tagged("x", "0" * 64),
        "no hash": without("x"),
        "expired": tagged("expiration", str(owner.now() - 10)),
        "no expiration": without("expiration"),
        "a day old": good.resigned(owner.key, created_at=owner.now() - 24 * HOUR),
        "an hour ahead": good.resigned(owner.key, created_at=owner.now() + HOUR),
        "another's signature": good.altered(sig=another.sign(bytes.fromhex(good.id))),
        "another's key": good.altered(pubkey=another.pubkey),
        "another server": good.resigned(
            owner.key, tags=(*good.tags, ("server", "media.elsewhere.example"))
        ),
    }
    return {
        "no header": {"X-SHA-256": right["X-SHA-256"]},
        "another scheme": {**right, "Authorization": authorization_header(good, "Bearer")},
        "not base64": {**right, "Authorization": "Nostr ***"},
        "no X-SHA-256": {"Authorization": right["Authorization"]},
        **{
            name: {**right, "Authorization": authorization_header(event)}
            for name, event in events.items()
        },
    }


@clause("AP-MEDIA-02")
def test_an_upload_with_a_wrong_authorization_gets_401(owner, check):
    body = unknown(check.slug("wrong"))
    statuses = {
        wrong: sent(owner, body, headers).status
        for wrong, headers in wrong_authorizations(owner, body).items()
    }
    assert statuses == dict.fromkeys(statuses, 401)
    assert fetched(owner, f"/media/{sha256_of(body)}.bin").status == 404
    uploaded(owner, body)


@clause("AP-MEDIA-03")
def test_a_body_that_does_not_match_its_hash_is_not_kept(owner, check):
    promised, other = unknown(check.slug("promised")), unknown(check.slug("other"))
    response = sent(owner, other, headers_for(owner, promised))
    assert 400 <= response.status < 500
    for body in (promised, other):
        assert fetched(owner, f"/media/{sha256_of(body)}.bin").status == 404
    uploaded(owner, promised)


@clause("AP-MEDIA-04")
def test_the_type_is_told_by_the_bytes(owner, check):
    picture = takes(owner, png(check.slug("picture")), Content_Type="text/html")
    assert picture.said.get("type") == "image/png"
    file = takes(owner, unknown(check.slug("bytes")), Content_Type="image/png")
    assert file.said.get("type") == "application/octet-stream"


@clause("AP-MEDIA-05")
def test_any_file_is_taken_and_comes_as_a_download(owner, check):
    files = {
        pdf(check.slug("pdf")): "application/pdf",
        unknown(check.slug("unknown")): "application/octet-stream",
        b"": "application/octet-stream",
    }
    for body, kind in files.items():
        stored = takes(owner, body)
        assert stored.said.get("type") == kind
        response = fetched(owner, stored.path)
        assert (response.status, response.sha256) == (200, stored.sha256)
        assert response.header("content-disposition").startswith("attachment")


@clause("AP-MEDIA-06")
def test_a_drawing_is_never_shown_as_a_page_of_the_relay(owner, check):
    stored = uploaded(owner, declared_svg(check.slug()))
    response = fetched(owner, stored.path)
    assert response.header("content-type").partition(";")[0] not in ("image/svg+xml", "text/html")
    assert response.header("content-disposition").startswith("attachment")
    assert response.header("x-content-type-options") == "nosniff"
    assert "default-src 'none'" in response.header("content-security-policy")


@clause("AP-MEDIA-07")
def test_pages_and_programs_are_not_taken(owner, check):
    bodies = {
        "a page": page(check.slug("page")),
        "a page behind white space": b" \n" + page(check.slug("indented")),
        "an XHTML page": b'<?xml version="1.0"?>' + page(check.slug("xhtml")),
        "a drawing": bare_svg(check.slug("drawing")),
        "a program": program(check.slug("program")),
    }
    statuses = {name: sent(owner, body).status for name, body in bodies.items()}
    assert statuses == dict.fromkeys(statuses, 415)
    for body in bodies.values():
        assert fetched(owner, f"/media/{sha256_of(body)}").status == 404
    uploaded(owner, unknown(check.slug()))


@clause("AP-MEDIA-08")
def test_what_is_served_is_taken_for_nothing_else(owner, check):
    picture = fetched(owner, uploaded(owner, png(check.slug("picture"))).path)
    file = fetched(owner, uploaded(owner, unknown(check.slug("file"))).path)
    for response in (picture, file):
        assert response.header("x-content-type-options") == "nosniff"
        assert "default-src 'none'" in response.header("content-security-policy")
    assert not picture.header("content-disposition").startswith("attachment")


# -- serving -----------------------------------------------------------------------------


@clause("AP-MEDIA-09")
def test_head_tells_what_get_gives(owner, check):
    stored = uploaded(owner, png(check.slug()))
    whole, head = fetched(owner, stored.path), fetched(owner, stored.path, "HEAD")
    assert (head.status, head.size) == (200, 0)
    for name in ("content-type", "content-length", "content-disposition"):
        assert head.header(name) == whole.header(name)


@clause("AP-MEDIA-10")
def test_a_part_can_be_asked_for(owner, check):
    body = unknown(check.slug())
    size, stored = len(body), uploaded(owner, body)
    parts = {
        "bytes=0-3": (0, 3),
        "bytes=10-": (10, size - 1),
        "bytes=-7": (size - 7, size - 1),
        f"bytes=5-{size + 100}": (5, size - 1),
        f"bytes={size - 1}-{size - 1}": (size - 1, size - 1),
    }
    for asked, (first, last) in parts.items():
        response = fetched(owner, stored.path, Range=asked)
        assert (asked, response.status) == (asked, 206)
        assert response.header("content-range") == f"bytes {first}-{last}/{size}"
        assert (asked, response.sha256) == (asked, sha256_of(body[first : last + 1]))
    assert fetched(owner, stored.path, Range=f"bytes={size}-").status == 416


@clause("AP-MEDIA-11")
def test_what_is_not_there_is_not_found(owner, check):
    stored = uploaded(owner, unknown(check.slug()))
    for path in (
        f"/media/{sha256_of(check.slug('absent').encode())}.bin",
        f"/media/{stored.sha256[:-1]}.bin",
        "/media/%2e%2e%2fetc%2fpasswd",
        "/media/..%2f..%2fetc%2fpasswd",
        "/media/",
    ):
        for method in ("GET", "HEAD"):
            status = fetched(owner, path, method).status
            if not 400 <= status < 500:
                raise Broken(f"a 4xx for {method} {path}", f"HTTP {status}")
    assert fetched(owner, f"/media/{sha256_of(check.slug('absent').encode())}.bin").status == 404
    assert fetched(owner, stored.path).status == 200


@clause("AP-MEDIA-12")
def test_the_same_bytes_are_the_same_upload(owner, other_owner, check):
    body = png(check.slug())
    first = uploaded(owner, body)
    for actor in (owner, other_owner):
        again = sent(actor, body)
        assert again.status == 200
        assert again.json().get("url") == first.said.get("url")


@destructive
@clause("AP-MEDIA-13", needs=["load"])
def test_what_is_too_large_is_refused(owner, check):
    body = large_gif(GIF_LIMIT + 1)
    assert sent(owner, body).status == 413
    assert fetched(owner, f"/media/{sha256_of(body)}.gif").status == 404
    uploaded(owner, png(check.slug()))


@clause("AP-MEDIA-14")
def test_a_broken_picture_is_refused(owner, check):
    body = png(check.slug())
    for part in (body[:-20], body[:20]):
        status = sent(owner, part).status
        assert (len(part), status) == (len(part), 400)
    uploaded(owner, body)


@clause("AP-MEDIA-17")
def test_whether_an_authorization_can_be_used_again(owner, check):
    body = unknown(check.slug())
    headers = headers_for(owner, body)
    first, again = sent(owner, body, headers), sent(owner, body, headers)
    check.fact("the same authorization again", again.status)
    check.note(f"an upload: HTTP {first.status}; the same request again: HTTP {again.status}")


# -- imeta tags --------------------------------------------------------------------------


def wrong_tags(stored):
    """Tags that are wrong in one respect each."""
    twice = stored.imeta()
    return {
        "no url": stored.imeta(url=None),
        "no m": stored.imeta(m=None),
        "no x": stored.imeta(x=None),
        "no size": stored.imeta(size=None),
        "a key twice": (*twice, twice[2]),
        "an unknown key": stored.imeta(colour="red"),
        "x in upper case": stored.imeta(x=stored.sha256.upper()),
        "a size of 0": stored.imeta(size="0"),
        "an external url": stored.imeta(url=f"https://elsewhere.example{stored.path}"),
        "a duration of 0": stored.imeta(duration="0"),
        "a duration without end": stored.imeta(duration="inf"),
        "a filename with a separator": stored.imeta(filename="../a"),
        "a thumb of another name": stored.imeta(thumb=str(stored.said.get("url"))),
    }


def with_tag(tag, clock):
    """A note with an imeta tag."""
    return Draft(NOTE, clock.now(), (tag,), "look at this")


def notes_are_taken(owner, clock):
    """What imeta tags stand in has to be welcome itself."""
    answer = owner.send(owner.signs(Draft(NOTE, clock.now(), (), "a note without a picture")))
    if not answer.accepted:
        raise NotApplicable(f"the relay does not take kind {NOTE}: {answer.message!r}")


def taken(owner, tags, clock):
    """Those of the tags, by name, with which a note is accepted."""
    events = {name: owner.signs(with_tag(tag, clock)) for name, tag in tags.items()}
    answers = owner.send_all(list(events.values()))
    return [name for name, one in zip(events, answers, strict=True) if one.accepted]


@clause("AP-MEDIA-15")
def test_the_form_of_an_imeta_tag_is_judged(owner, clock, check):
    notes_are_taken(owner, clock)
    stored = uploaded(owner, png(check.slug()))
    right = (
        stored.imeta(),
        stored.imeta(alt="a picture", filename="a.png", dim="3x2", blurhash="00", duration="1.5"),
    )
    for tag in right:
        event = accepted(owner, with_tag(tag, clock))
        assert event in owner.read(Filter.of(kinds=[NOTE], ids=[event.id]))
    wrong = taken(owner, wrong_tags(stored), clock)
    if wrong:
        raise Broken("a refusal of wrong imeta tags", f"accepted with {', '.join(wrong)}")


@clause("AP-MEDIA-16")
def test_an_imeta_tag_fits_what_is_stored(owner, clock, check):
    notes_are_taken(owner, clock)
    stored = uploaded(owner, png(check.slug()))
    absent = sha256_of(check.slug("absent").encode())
    url = str(stored.said.get("url"))
    tags = {
        "unknown media": stored.imeta(x=absent, url=url.replace(stored.sha256, absent)),
        "another size": stored.imeta(size=str(len(stored.body) + 1)),
        "another type": stored.imeta(m="image/jpeg"),
        "another's url": stored.imeta(url=url.replace(stored.sha256, absent)),
    }
    accepted(owner, with_tag(stored.imeta(), clock))
    wrong = taken(owner, tags, clock)
    if wrong:
        raise Broken("a refusal of tags that do not fit", f"accepted with {', '.join(wrong)}")
