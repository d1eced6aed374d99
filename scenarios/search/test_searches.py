"""SEARCH: what people say can be found again (NIP-50)."""

from nip_ap.scenario import (
    HTTP,
    NOTE,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    answered,
    clause,
    same_events,
)

LATER = 8


class Talk:
    """Where texts go: a channel where there are any, else notes; with the filter for them."""

    def __init__(self, owner, check, relay):
        self.owner, self.check = owner, check
        self.channel = check.new_channel(owner) if relay.offers("channels") else None

    def word(self, name):
        """A word that nobody else uses."""
        return f"{name}{self.check.slug(name).replace('-', '')}"

    def draft(self, text, at=None):
        """A text, not yet said."""
        if self.channel is not None:
            return self.channel.message(text, at=at)
        return Draft(NOTE, self.check.clock.now() if at is None else at, (), text)

    def say(self, *texts, by=None):
        """Publish texts, a second apart, the first the oldest."""
        start = self.check.clock.now() - len(texts)
        drafts = [self.draft(text, at=start + number) for number, text in enumerate(texts)]
        return (by or self.owner).publish_all(drafts)

    def search(self, text, **more):
        """The filter that looks for a text."""
        if self.channel is not None:
            return self.channel.messages().changed(search=text, **more)
        return Filter.of(kinds=[NOTE], search=text).changed(**more)

    def until_found(self, event, text, via="ws"):
        """Wait for the index. Raises Inconclusive."""
        if event not in self.owner.read_until(event, self.search(text), via=via):
            raise Inconclusive("a search does not find what was said, however long one waits")


def talk_with_a_word(owner, check, relay):
    """A talk in which one word was said and is found, so that to find nothing says something."""
    talk = Talk(owner, check, relay)
    word = talk.word("there")
    (event,) = talk.say(word)
    talk.until_found(event, word)
    return talk, word


@clause("AP-SEARCH-01")
def test_a_match_comes_before_eose(owner, check, relay):
    talk = Talk(owner, check, relay)
    word = talk.word("needle")
    event, _ = talk.say(f"here is a {word} to find", "and here is none")
    if event not in owner.read_until(event, talk.search(word)):
        raise Broken("a search for a word to find the text that has it", "nothing, after a while")
    assert answered(owner, talk.search(word)) == (event,)


@clause("AP-SEARCH-02")
def test_the_exact_match_is_found_though_much_was_said_since(owner, check, relay):
    talk = Talk(owner, check, relay)
    place = talk.word("place")
    words = [talk.word(name) for name in ("alpha", "bravo", "charlie")]
    exact, *_, partly = talk.say(
        " ".join((place, *words)),
        *(f"{place} something else {number}" for number in range(LATER)),
        " ".join((place, *words[:2])),
    )
    talk.until_found(partly, place)
    assert exact in owner.read(talk.search(" ".join(words)))


@clause("AP-SEARCH-03")
def test_no_hit_is_an_empty_answer(owner, check, relay):
    talk, _ = talk_with_a_word(owner, check, relay)
    assert answered(owner, talk.search(talk.word("absent"))) == ()


@clause("AP-SEARCH-04")
def test_a_search_for_nothing_finds_nothing(owner, check, relay):
    talk, _ = talk_with_a_word(owner, check, relay)
    assert answered(owner, talk.search("", authors=(owner.pubkey,))) == ()


@clause("AP-SEARCH-05")
def test_the_other_conditions_hold_beside_a_search(owner, other_owner, check, relay):
    talk = Talk(owner, check, relay)
    if talk.channel is not None:
        owner.publish(talk.channel.membership(other_owner.pubkey))
    word = talk.word("said")
    older, newer = talk.say(f"{word} once", f"{word} twice")
    (theirs,) = talk.say(f"{word} by another", by=other_owner)
    for event in (older, newer, theirs):
        talk.until_found(event, word)
    same_events(owner.read(talk.search(word)).events, [older, newer, theirs])
    own = talk.search(word, authors=(owner.pubkey,))
    same_events(owner.read(own).events, [older, newer])
    same_events(owner.read(own.changed(since=newer.created_at)).events, [newer])
    same_events(owner.read(own.changed(until=older.created_at)).events, [older])
    assert len(owner.read(own.changed(limit=1)).events) == 1


@clause("AP-SEARCH-09")
def test_a_search_among_no_kinds_finds_nothing(owner, check, relay):
    talk, word = talk_with_a_word(owner, check, relay)
    assert answered(owner, talk.search(word, kinds=(), authors=(owner.pubkey,))) == ()


@clause("AP-SEARCH-06", needs=["http"])
def test_a_search_over_http_finds_the_same(owner, check, relay):
    talk = Talk(owner, check, relay)
    word = talk.word("needle")
    events = talk.say(f"{word} one", f"{word} two", "none")
    for event in events[:2]:
        talk.until_found(event, word)
    same_events(owner.read(talk.search(word), via=HTTP).events, events[:2])
    assert owner.read(talk.search(talk.word("absent")), via=HTTP).events == ()


@clause("AP-SEARCH-07")
def test_two_searches_in_one_question_give_the_match_of_either_once(owner, check, relay):
    talk = Talk(owner, check, relay)
    word, other = talk.word("needle"), talk.word("pin")
    (event,) = talk.say(f"a {word} and a {other}")
    talk.until_found(event, word)
    absent = talk.search(talk.word("absent"))
    assert answered(owner, absent, talk.search(word)) == (event,)
    assert answered(owner, talk.search(other), talk.search(word)) == (event,)


@clause("AP-SEARCH-08")
def test_in_what_order_matches_come(owner, check, relay):
    talk = Talk(owner, check, relay)
    word = talk.word("often")
    often, once = talk.say(f"{word} {word} {word}", f"{word} and a good deal that is not it")
    for event in (often, once):
        talk.until_found(event, word)
    found = [one for one in owner.read(talk.search(word)).events if one in (often, once)]
    by_time = found[0] == once
    check.fact("order of a search", "time" if by_time else "relevance")
    check.note(f"matches come by {'time, the newest first' if by_time else 'relevance'}")
