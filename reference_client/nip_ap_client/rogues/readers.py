"""Rogue readers: what they believe, choose, leave out and survive.

Longer than most modules: a list of small deviations, each a class that nothing else needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import orjson

from nip_ap.nostr import DELETION, PERSONA, Event, Filter
from nip_ap.wire.answers import NoAnswer, WireError
from nip_ap.wire.websocket import Subscription
from nip_ap_client.reader import PAGE, Listing, Reader, Shown, Undecodable
from nip_ap_client.rogues.declaring import rogue
from nip_ap_client.source import Answered, WireSource

# -- what is believed ------------------------------------------------------------------


@rogue(
    "R1",
    turns_red="AP-READER-02",
    because="it believes the id that comes with an event",
    remedy="Compute the id, and drop an event that has another.",
)
class BelievesIds(Reader):
    def problems(self, event: Event) -> Sequence[str]:
        return () if event.signature_verifies else event.problems


@rogue(
    "R2",
    turns_red="AP-READER-03 AP-READER-04 AP-READER-15",
    because="it takes an event with the right id for signed",
    remedy="Verify the signature under the author's key.",
)
class BelievesSignatures(Reader):
    def problems(self, event: Event) -> Sequence[str]:
        return () if event.computed_id == event.id else event.problems


@rogue(
    "R3",
    turns_red="AP-READER-04",
    because="it chooses the head first and verifies it then, so that a forged version hides all",
    remedy="Verify each event before the head is chosen.",
)
class ChoosesBeforeVerifying(Reader):
    def is_genuine(self, event: Event) -> bool:
        return event.kind == PERSONA or super().is_genuine(event)

    def heads(self, events: Iterable[Event]) -> list[Event]:
        return [one for one in super().heads(events) if super(type(self), self).is_genuine(one)]


@rogue(
    "R4",
    turns_red="AP-READER-04",
    because="it knows an event by its id alone, so that a forged copy hides the genuine one",
    remedy="Verify an event before it is remembered as seen.",
)
class RemembersIdsUnverified(Reader):
    def everything(self) -> list[Event]:
        first: dict[str, Event] = {}
        for event in super().everything():
            first.setdefault(event.id, event)
        return list(first.values())


@rogue(
    "R5",
    turns_red="AP-READER-06",
    because="it takes whatever the relay sends for the owner's",
    remedy="Compare the author of each event with the one asked for.",
)
class BelievesAuthors(Reader):
    def is_of_the_owner(self, event: Event) -> bool:
        return event.kind == PERSONA or super().is_of_the_owner(event)


@rogue(
    "R6",
    turns_red="AP-WRITER-15",
    because="it asks for the personas of everybody and sorts out the owner's itself",
    remedy="Name the author in each filter.",
)
class AsksForEverybody(Reader):
    def filters(self) -> tuple[Filter, ...]:
        personas, deletions = super().filters()
        return personas.changed(authors=None), deletions


@rogue(
    "R7",
    turns_red="AP-READER-31",
    because="it asks for all that the owner ever wrote",
    remedy="Name the kinds in each filter.",
)
class AsksForEverything(Reader):
    def filters(self) -> tuple[Filter, ...]:
        personas, _ = super().filters()
        return (personas.changed(kinds=None, tags={}),)

    def is_a_persona(self, event: Event) -> bool:
        return super().is_a_persona(event)


@rogue(
    "R8",
    turns_red="AP-READER-07",
    because="it shows an event of any kind that has a persona's content",
    remedy="Drop events of other kinds.",
)
class TakesAnyKind(Reader):
    def is_a_persona(self, event: Event) -> bool:
        return True


@rogue(
    "R9",
    turns_red="AP-READER-08",
    because="it was asked for one slug and shows whatever comes",
    remedy="Compare the slug of each event with the one asked for.",
)
class ShowsOtherSlugs(Reader):
    def is_the_slug(self, event: Event) -> bool:
        return True


@rogue(
    "R10",
    turns_red="AP-READER-09",
    because="it takes the first `d` tag, or none, for a slug",
    remedy="Drop an event that has not exactly one `d` tag.",
)
class TakesAnyTags(Reader):
    def fault_of_slug(self, event: Event) -> str:
        tags = [tag for tag in event.tags if tag[0] == "d"]
        return super().fault_of_slug(event) if len(tags) == 1 else ""


@rogue(
    "R11",
    turns_red="AP-READER-10",
    because="it takes any text for a slug",
    remedy="Hold each slug against the grammar.",
)
class TakesAnySlug(Reader):
    def in_grammar(self, slug: str) -> bool:
        return True


@rogue(
    "R12",
    turns_red="AP-READER-26",
    because="it shows another's personas that are not shared",
    remedy="Show of another's personas those with the share tag.",
)
class ShowsPrivateOnes(Reader):
    def persona(self, head: Event) -> Shown | None:
        self.only_shared = False
        return super().persona(head)


@rogue(
    "R13",
    turns_red="AP-READER-27",
    because="it takes any command over from another's machine",
    remedy="Drop another's persona whose acp_command is not portable.",
)
class TakesAnyCommand(Reader):
    def is_portable(self, command: object) -> bool:
        return True


@rogue(
    "R14",
    turns_red="AP-READER-27",
    because="it drops its own persona too where the command is not portable",
    remedy="Leave the owner's own commands alone.",
)
class DropsOwnCommands(Reader):
    def persona(self, head: Event) -> Shown | None:
        shown = super().persona(head)
        command = None if shown is None else shown.rest.get("acp_command")
        return shown if command is None or self.is_portable(command) else None


# -- what is chosen --------------------------------------------------------------------


@rogue(
    "R15",
    turns_red="AP-WRITER-11 AP-READER-05 AP-READER-11 AP-READER-16",
    because="it shows the version that came first",
    remedy="Choose the version with the latest date.",
)
class TakesTheFirst(Reader):
    def replaces(self, event: Event, standing: Event) -> bool:
        return False


@rogue(
    "R16",
    turns_red="AP-WRITER-11 AP-READER-05",
    because="it shows the version that came last",
    remedy="Choose the version with the latest date.",
)
class TakesTheLast(Reader):
    def replaces(self, event: Event, standing: Event) -> bool:
        return True


@rogue(
    "R17",
    turns_red="AP-READER-05",
    because="of two versions of one second it shows the one with the higher id",
    remedy="On a tie choose the lowest id.",
)
class TakesTheHighestId(Reader):
    def replaces(self, event: Event, standing: Event) -> bool:
        return (event.created_at, event.id) > (standing.created_at, standing.id)


@rogue(
    "R18",
    turns_red="AP-READER-14",
    because="it leaves deletions to the relay",
    remedy="Ask for the owner's deletion requests as well, and apply them.",
)
class LeavesDeletionsToTheRelay(Reader):
    def filters(self) -> tuple[Filter, ...]:
        return super().filters()[:1]


@rogue(
    "R19",
    turns_red="AP-READER-14",
    because="it lets a deletion reach only what is older, and not its own second",
    remedy="Hide a head that is dated in the second of the deletion, too.",
)
class DeletesWhatIsOlder(Reader):
    def reaches(self, deletion: Event, head: Event) -> bool:
        return super().reaches(deletion, head) and deletion.created_at > head.created_at


@rogue(
    "R20",
    turns_red="AP-READER-15",
    because="it honours anybody's deletion",
    remedy="Honour a deletion by the author of the persona alone.",
)
class HonoursAnybody(Reader):
    def is_of_the_owner(self, event: Event) -> bool:
        return event.kind == DELETION or super().is_of_the_owner(event)

    def reaches(self, deletion: Event, head: Event) -> bool:
        return deletion.created_at >= head.created_at


@rogue(
    "R21",
    turns_red="AP-READER-16",
    because="a slug that was deleted once is gone for good",
    remedy="Compare the dates: a later version is a persona again.",
)
class DeletesForGood(Reader):
    def reaches(self, deletion: Event, head: Event) -> bool:
        return deletion.pubkey == head.pubkey


@rogue(
    "R22",
    turns_red="AP-READER-11",
    because="where the head cannot be read it shows the version before",
    remedy="Choose the head by date alone, and drop it where it cannot be read.",
)
class FallsBack(Reader):
    def heads(self, events: Iterable[Event]) -> list[Event]:
        return super().heads(one for one in events if self._can_be_read(one))

    def _can_be_read(self, event: Event) -> bool:
        try:
            self.body(event)
        except Undecodable as error:
            return self.drop(event, str(error))
        return True


# -- what a content means --------------------------------------------------------------


@rogue(
    "R23",
    turns_red="AP-WRITER-12 AP-READER-11 AP-READER-12 AP-READER-30",
    because="one content that it cannot read is the end of the whole list",
    remedy="Drop the one, and go on with the others.",
)
class StopsAtABadContent(Reader):
    def persona(self, head: Event) -> Shown | None:
        self.body(head)
        return super().persona(head)


@rogue(
    "R24",
    turns_red="AP-WRITER-12 AP-WRITER-22",
    because="it shows a persona without a name under its slug",
    remedy="Drop a content without a display_name.",
)
class ShowsTheNameless(Reader):
    def body(self, head: Event) -> dict[str, Any]:
        try:
            return super().body(head)
        except Undecodable:
            body = orjson.loads(head.content or "[]") if head.content[:1] != "{" else {}
            return self._named(head, body)

    def _named(self, head: Event, body: object) -> dict[str, Any]:
        return {"display_name": head.slug, **(body if isinstance(body, dict) else {})}


@rogue(
    "R25",
    turns_red="AP-WRITER-13 AP-WRITER-18 AP-READER-13",
    because="it drops a persona with a field that it does not know",
    remedy="Ignore fields that you do not know.",
)
class DropsTheUnknown(Reader):
    known: ClassVar[frozenset[str]] = frozenset(
        (
            *("display_name", "system_prompt", "avatar_url", "runtime", "model", "provider"),
            *("name_pool", "acp_command"),
        )
    )

    def body(self, head: Event) -> dict[str, Any]:
        body = super().body(head)
        if not body.keys() <= self.known:
            raise Undecodable("it has fields that are not known")
        return body


@rogue(
    "R26",
    turns_red="AP-WRITER-14",
    because="it drops a persona that has no prompt, as the June text asked for",
    remedy="Take a missing or null prompt for none.",
)
class WantsAPrompt(Reader):
    def body(self, head: Event) -> dict[str, Any]:
        body = super().body(head)
        if body.get("system_prompt") is None:
            raise Undecodable("it has no system_prompt")
        return body


@rogue(
    "R27",
    turns_red="AP-WRITER-14",
    because="it shows a prompt of null as the text None",
    remedy="Take a missing or null prompt for none.",
)
class WritesNone(Reader):
    def prompt(self, body: dict[str, Any]) -> str | None:
        return str(body.get("system_prompt"))


@rogue(
    "R28",
    turns_red="AP-READER-13",
    because="it shows all that a content holds, env_vars included",
    remedy="Show known fields alone.",
)
class ShowsEverything(Reader):
    def rest(self, body: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if value is not None}


@rogue(
    "R29",
    turns_red="AP-WRITER-22",
    because="what it drops it drops in silence",
    remedy="Note what was dropped, and why.",
)
class DropsInSilence(Reader):
    def run(self) -> Listing:
        found = super().run()
        return Listing(found.personas, (), found.trouble)


@rogue(
    "R30",
    turns_red="AP-WRITER-18",
    because="it drops a persona with a field that is reserved for later",
    remedy="Tolerate respond_to, respond_to_allowlist and parallelism.",
)
class DropsTheReserved(Reader):
    def body(self, head: Event) -> dict[str, Any]:
        body = super().body(head)
        if {"respond_to", "parallelism"} & body.keys():
            raise Undecodable("it has fields that are reserved")
        return body


# -- what is survived ------------------------------------------------------------------


@rogue(
    "R31",
    turns_red="AP-READER-17",
    because="it reads one page and takes it for all",
    remedy="Ask for the next page until one brings nothing new.",
)
class ReadsOnePage(Reader):
    def pages(self, wanted: Filter) -> Iterator[Event]:
        seen: dict[str, Event] = {}
        for event in self.ask(wanted.changed(limit=PAGE)).events:
            seen.setdefault(event.id + event.sig, event)
        yield from seen.values()


class _GivesUpSource(WireSource):
    def is_worth_another_try(self, error: WireError) -> bool:
        return False

    def closed(self, wanted: Filter, reason: str) -> Answered:
        if reason.startswith("auth-required:"):
            return super().closed(wanted, reason)
        raise NoAnswer(f"the relay closed the request: {reason}")


@rogue(
    "R32",
    turns_red="AP-READER-18",
    because="a request that is closed once is never made again",
    remedy="Ask once more where CLOSED says `error:`.",
)
class GivesUp(Reader):
    source_of = _GivesUpSource


class _EmptySource(WireSource):
    def closed(self, wanted: Filter, reason: str) -> Answered:
        again = self.door().query([wanted])
        return Answered(again.events, again.malformed)


@rogue(
    "R33",
    turns_red="AP-READER-19",
    because="it takes CLOSED for the end of an empty list",
    remedy="Say that the relay refused, by an exit code that is not 0.",
)
class TakesRefusalForEmpty(Reader):
    source_of = _EmptySource


class _TimidSource(WireSource):
    def wait(self, subscription: Subscription) -> None:
        super().wait(subscription)
        if self.door().notices:
            raise NoAnswer(f"the relay complains: {self.door().notices[0]}")

    def unended(self, subscription: Subscription, error: NoAnswer) -> Answered:
        if self.door().notices:
            raise error
        return super().unended(subscription, error)


@rogue(
    "R34",
    turns_red="AP-READER-20",
    because="it takes a NOTICE for an error",
    remedy="Show a NOTICE at most, and go on.",
)
class FearsNotices(Reader):
    source_of = _TimidSource


class _HastySource(WireSource):
    def wait(self, subscription: Subscription) -> None:
        self.door().wait(
            lambda: subscription.is_answered or bool(subscription.stored), "a first event"
        )


@rogue(
    "R35",
    turns_red="AP-READER-21",
    because="it takes what has come by a moment for all there is",
    remedy="Wait for EOSE.",
)
class TakesTheFirstHalf(Reader):
    source_of = _HastySource


class _PatientSource(WireSource):
    def unended(self, subscription: Subscription, error: NoAnswer) -> Answered:
        raise error

    def is_worth_another_try(self, error: WireError) -> bool:
        return False


@rogue(
    "R36",
    turns_red="AP-READER-22",
    because="it shows nothing where an answer has no end",
    remedy="Give up waiting for EOSE after some seconds, and show what came.",
)
class ShowsNothingWithoutAnEnd(Reader):
    source_of = _PatientSource


class _CutSource(WireSource):
    def asked_once(self, wanted: Filter) -> Answered:
        subscription = self.door().subscribe([wanted])
        try:
            self.wait(subscription)
        except WireError:
            self.close()
        if subscription.closed is not None:
            return self.closed(wanted, subscription.closed)
        trouble = "" if subscription.ended else "cut"
        return Answered(tuple(subscription.stored), subscription.malformed, trouble)


@rogue(
    "R37",
    turns_red="AP-READER-23",
    because="it takes the end of a connection for the end of the list",
    remedy="Connect again and ask again, or say that the list is not whole.",
)
class TakesACutForTheEnd(Reader):
    source_of = _CutSource

    def run(self) -> Listing:
        found = super().run()
        return Listing(found.personas, found.dropped)


@rogue(
    "R38",
    turns_red="AP-READER-24",
    because="it shows an event as often as it comes",
    remedy="Show one version of each slug.",
)
class ShowsTwice(Reader):
    def ask(self, wanted: Filter) -> Answered:
        answer = super().ask(wanted)
        if wanted.until is None:
            self.came = [*getattr(self, "came", []), *answer.events]
        return answer

    def heads(self, events: Iterable[Event]) -> list[Event]:
        heads = super().heads(events)
        times = [sum(one.same_bytes_as(other) for other in self.came) for one in heads]
        return [one for one, number in zip(heads, times, strict=True) for _ in range(number or 1)]


class _AnonymousSource(WireSource):
    def __init__(self, url: str, key: object, **more: Any) -> None:
        super().__init__(url, None, **more)


@rogue(
    "R39",
    turns_red="AP-READER-25",
    because="it never says who reads",
    remedy="Answer the challenge of NIP-42 with the key, and ask again.",
)
class StaysAnonymous(Reader):
    source_of = _AnonymousSource


@rogue(
    "R40",
    turns_red="AP-READER-28",
    because="it prints names as they are",
    remedy="Escape control characters and bidi overrides.",
)
class PrintsNamesAsTheyAre(Reader):
    @staticmethod
    def written(told: dict[str, Any]) -> str:
        return json.dumps(told, ensure_ascii=False)


@rogue(
    "R41",
    turns_red="AP-READER-29",
    because="a prompt that is too long for it ends the whole reading",
    remedy="Drop the one persona, and show the others.",
)
class StopsAtAHugePrompt(Reader):
    def prompt(self, body: dict[str, Any]) -> str | None:
        found = super().prompt(body)
        if found is not None and len(found) > 65_535:
            raise ValueError("a prompt is too long")
        return found


@rogue(
    "R42",
    turns_red="AP-READER-30",
    because="an event that is none ends the whole reading",
    remedy="Drop what cannot be read as an event, and go on.",
)
class StopsAtABadEvent(Reader):
    def ask(self, wanted: Filter) -> Answered:
        answer = super().ask(wanted)
        if answer.malformed:
            raise ValueError(f"the relay sent {answer.malformed[0]}")
        return answer


@rogue(
    "R43",
    turns_red="AP-READER-12",
    because="it shows a number as a prompt, and stops where it cannot",
    remedy="Drop a field of the wrong type, or the persona.",
)
class TrustsTypes(Reader):
    def body(self, head: Event) -> dict[str, Any]:
        body = orjson.loads(head.content) if '"model"' in head.content else None
        if isinstance(body, dict) and not isinstance(body.get("model"), str | None):
            raise TypeError("a model is a text")
        return super().body(head)


@rogue(
    "R44",
    turns_red="AP-READER-01",
    because="it cuts a prompt at its first line",
    remedy="Show a prompt as it was published.",
)
class CutsPrompts(Reader):
    def prompt(self, body: dict[str, Any]) -> str | None:
        found = super().prompt(body)
        return None if found is None else found.partition("\n")[0]
