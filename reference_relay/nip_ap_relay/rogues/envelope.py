"""Rogues of the envelope and unjudged content."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import orjson

from nip_ap.nostr import PERSONA, Event
from nip_ap_relay.policy import Policy, Submission
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "two-d-first-wins",
    turns_red="AP-ENV-01 AP-ENV-03",
    because="It takes the first `d` tag that it finds and looks no further.",
    remedy="Count the `d` tags and refuse an event with more than one.",
)
class TwoDFirstWins(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return super().d_tags(event)[:1]


@rogue(
    "two-d-same-accepted",
    turns_red="AP-ENV-01",
    because="It gathers tag values in a set before it counts them.",
    remedy="Count the `d` tags before you remove duplicates.",
)
class TwoDSameAccepted(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return list(dict.fromkeys(super().d_tags(event)))


@rogue(
    "valueless-d-accepted",
    turns_red="AP-ENV-02",
    because='It reads a missing value as a wildcard slug where "" is refused.',
    remedy="Refuse a `d` tag without a value.",
)
class ValuelessDAccepted(Policy):
    def is_no_slug(self, value: str | None) -> bool:
        return value == ""


@rogue(
    "valueless-d-ignored",
    turns_red="AP-ENV-03",
    because="It counts only tags of two elements, as the real relay did in June.",
    remedy="Count every tag named `d`, also one without a value.",
)
class ValuelessDIgnored(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return [value for value in super().d_tags(event) if value is not None]


@rogue(
    "alt-refused",
    turns_red="AP-ENV-04 AP-ENV-06",
    because="It lets only the tags pass that it has heard of.",
    remedy="Accept tags that you do not know.",
)
class AltRefused(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and submission.event.tag_values("alt"):
            return "invalid: unexpected tag"
        return None


@rogue(
    "d-must-be-first",
    turns_red="AP-ENV-04",
    because="It reads the slug from the first tag, whatever its name.",
    remedy="Search all tags for `d`, at whatever position.",
)
class DMustBeFirst(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and submission.event.tags[0][0] != "d":
            return "invalid: the first tag must be `d`"
        return None


@rogue(
    "content-validated",
    turns_red="AP-ENV-05 AP-ENV-06",
    because="It parses the content and refuses what is not a JSON object.",
    remedy="Store the content as it is; it is for clients to read.",
)
class ContentValidated(Policy):
    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind != PERSONA:
            return None
        try:
            parsed = orjson.loads(submission.event.content)
        except orjson.JSONDecodeError:
            return "invalid: content is not JSON"
        return None if isinstance(parsed, dict) else "invalid: content is no object"


@rogue(
    "prompt-required",
    turns_red="AP-ENV-05 AP-ENV-06",
    blinds="AP-CAT-08 AP-GATE-15 AP-HTTP-06 AP-READ-19 AP-READ-20 AP-READ-21",
    because="It enforces the June list of required fields, which was a duty of writers.",
    remedy="Do not validate the content: its fields are the writer's duty.",
)
class PromptRequired(Policy):
    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == PERSONA and "system_prompt" not in event.content:
            return "invalid: persona content must have a system_prompt"
        return None


@rogue(
    "content-reserialised",
    turns_red="AP-CAT-05 AP-ENV-06 AP-TEAM-01",
    because="It stores content in a JSON column, which does not keep the text.",
    remedy="Keep the content as the exact string that was signed.",
)
class ContentReserialised(Policy):
    def as_stored(self, event: Event) -> Event:
        try:
            parsed = orjson.loads(event.content)
        except orjson.JSONDecodeError:
            return event
        return event.altered(content=orjson.dumps(parsed).decode())


@rogue(
    "content-nfc-normalised",
    turns_red="AP-ENV-06",
    because="It normalises all text to NFC on the way in.",
    remedy="Store and return text byte for byte, without Unicode normalization.",
)
class ContentNfcNormalised(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(content=unicodedata.normalize("NFC", event.content))


@rogue(
    "tags-sorted",
    turns_red="AP-ENV-06 AP-ENV-09 AP-ENV-11",
    because="It keeps tags in a table of their own and returns them in the order of its key.",
    remedy="Store the tags with their order, or store the event as one string.",
)
class TagsSorted(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(tags=tuple(sorted(event.tags)))


@rogue(
    "body-limit-32k",
    turns_red="AP-ENV-07",
    because="It caps content below what NIP-AP allows a writer.",
    remedy="Raise the limit of the content to the 64 KiB that NIP-AP allows.",
)
class BodyLimit32k(Policy):
    longest_content = 32_768


@rogue(
    "serves-altered-event",
    turns_red=(
        "AP-CAT-05 AP-ENV-08 AP-ENV-09 AP-ENV-11 AP-ENV-12 AP-INSTR-01 AP-INT-07 AP-INT-08 "
        "AP-ROB-04 AP-TEAM-01"
    ),
    because="It drops signatures to save space and fills in zeros.",
    remedy="Return every event with all seven fields as they were signed.",
)
class ServesAlteredEvent(Policy):
    def as_served(self, raw: str) -> str:
        return orjson.dumps(orjson.loads(raw) | {"sig": "0" * 128}).decode()


@rogue(
    "tag-values-cut-at-255",
    turns_red="AP-ENV-09",
    blinds="AP-ENV-10",
    because="Its column for values of tags holds 255 characters, and its database cuts silently.",
    remedy="Give the column no length limit, or refuse the event; never cut a value.",
)
class TagValuesCutAt255(Policy):
    def as_stored(self, event: Event) -> Event:
        cut = tuple(tuple(element[:255] for element in tag) for tag in event.tags)
        return event.altered(tags=cut)


@rogue(
    "tags-cut-at-150",
    turns_red="AP-ENV-09",
    because="It reads so many tags of an event and leaves the rest.",
    remedy="Store every tag of an event, or refuse the event.",
)
class TagsCutAt150(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(tags=event.tags[:150])


@rogue(
    "tag-values-indexed-to-255",
    turns_red="AP-ENV-10 AP-SCOPE-07 AP-TEAM-07",
    because="Its index has the first 255 characters of a value, and nothing looks further.",
    remedy="Compare the whole value after the index has found candidates.",
)
class TagValuesIndexedTo255(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool] | None:
        return lambda value, wanted: value[:255] == wanted[:255]


@rogue(
    "content-ends-at-nul",
    turns_red="AP-ENV-11",
    because="It hands content to a library whose strings end at the first zero byte.",
    remedy="Handle the content as a string with a length, not as one that ends at a zero byte.",
)
class ContentEndsAtNul(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(content=event.content.partition("\0")[0])


@rogue(
    "noncharacters-replaced",
    turns_red="AP-ENV-06 AP-ENV-11",
    because="It takes noncharacters for bytes that cannot be read, and puts U+FFFD there.",
    remedy="Store noncharacters as they are: they are valid Unicode.",
)
class NoncharactersReplaced(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(content=event.content.replace("\uffff", "\ufffd"))


@rogue(
    "content-cut-at-100k",
    turns_red="AP-ENV-12",
    because="Its column for content ends before its limit for content does.",
    remedy="Give the content a column as long as its limit, or refuse the event; never cut it.",
)
class ContentCutAt100k(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(content=event.content[:99_999])


@rogue(
    "far-d-unseen",
    turns_red="AP-ENV-01",
    because="It looks for `d` among the first sixteen tags.",
    remedy="Search all tags for `d`, however many come before it.",
)
class FarDUnseen(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return super().d_tags(event.altered(tags=event.tags[:16]))
