"""Rogues of the slug grammar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from string import ascii_letters, ascii_lowercase, digits

from nip_ap.nostr import PERSONA, Event, Filter, is_addressable
from nip_ap_relay.policy import Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "slug-max-63",
    turns_red="AP-SLUG-01",
    blinds="AP-REPL-06",
    because="It reads {0,63} as the length of the whole slug, or compares with < for <=.",
    remedy="Allow slugs of 64 characters: one, and up to 63 more.",
)
class SlugMax63(Policy):
    longest_slug = 63


@rogue(
    "slug-no-digit-first",
    turns_red="AP-SLUG-01 AP-SLUG-11",
    blinds="AP-REPL-06",
    because="It takes the grammar for that of identifiers, which begin with a letter.",
    remedy="Allow a digit as the first character of a slug.",
)
class SlugNoDigitFirst(Policy):
    first_characters = frozenset(ascii_lowercase)


@rogue(
    "slug-no-underscore",
    turns_red="AP-SLUG-01 AP-SLUG-11",
    because="It uses the host-name grammar, which knows the dash and not the underscore.",
    remedy="Allow the underscore in slugs.",
)
class SlugNoUnderscore(Policy):
    further_characters = frozenset(ascii_lowercase + digits + "-")


@rogue(
    "slug-empty-accepted",
    turns_red="AP-SLUG-02",
    because="NIP-01 lets an addressable event have an empty `d`, and it stops there.",
    remedy="Refuse a persona with an empty slug.",
)
class SlugEmptyAccepted(Policy):
    def is_no_slug(self, value: str | None) -> bool:
        return value is None


@rogue(
    "slug-missing-accepted",
    turns_red="AP-SLUG-03",
    because="It refuses more than one `d` and forgets that none is wrong too.",
    remedy="Refuse a persona without a `d` tag.",
)
class SlugMissingAccepted(Policy):
    def number_of_d_tags_is_good(self, found: int) -> bool:
        return found <= 1


@rogue(
    "slug-max-65",
    turns_red="AP-SLUG-04",
    because="It is off by one: {0,64} after the first character.",
    remedy="Refuse slugs of more than 64 characters.",
)
class SlugMax65(Policy):
    longest_slug = 65


@rogue(
    "slug-truncated",
    turns_red="AP-SLUG-04",
    because="Its column is 64 characters wide and cuts what is longer.",
    remedy="Refuse what is longer than the column, and never cut it.",
)
class SlugTruncated(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug[:64]


@rogue(
    "slug-uppercase-accepted",
    turns_red="AP-SLUG-05",
    because="It checks the grammar with a case-insensitive expression.",
    remedy="Compare with a case-sensitive expression.",
)
class SlugUppercaseAccepted(Policy):
    first_characters = frozenset(ascii_letters + digits)
    further_characters = frozenset(ascii_letters + digits + "_-")


@rogue(
    "slug-case-folded",
    turns_red="AP-SLUG-05",
    because="It lower-cases the slug before it looks at it.",
    remedy="Refuse upper case; do not change it.",
)
class SlugCaseFolded(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.lower() if event.kind == PERSONA else event.slug


@rogue(
    "slug-leading-dash-accepted",
    turns_red="AP-SLUG-06",
    because="It applies one character class to the whole slug.",
    remedy="Use a class of its own for the first character: a letter or a digit.",
)
class SlugLeadingDashAccepted(Policy):
    first_characters = Policy.further_characters


@rogue(
    "slug-trailing-newline-accepted",
    turns_red="AP-SLUG-07",
    because="Its expression ends in $, which matches before a final newline.",
    remedy="Match the whole string, with \\z or fullmatch in place of $.",
)
class SlugTrailingNewlineAccepted(Policy):
    def rest_is_good(self, rest: str) -> bool:
        return super().rest_is_good(rest.removesuffix("\n"))


@rogue(
    "slug-dot-accepted",
    turns_red="AP-SLUG-07",
    because="It forgets to escape the dash or dot in a character class.",
    remedy="Put the dash at the end of the character class, or escape it.",
)
class SlugDotAccepted(Policy):
    further_characters = Policy.further_characters | {"."}


@rogue(
    "slug-unicode-lower-accepted",
    turns_red="AP-SLUG-07",
    because="It asks the language whether a character is a lower-case letter or a digit.",
    remedy="Compare with the ASCII ranges a-z and 0-9.",
)
class SlugUnicodeLowerAccepted(Policy):
    def rest_is_good(self, rest: str) -> bool:
        return all(one.islower() or one.isdigit() or one in "_-" for one in rest)


@rogue(
    "slug-trimmed",
    turns_red="AP-SLUG-07",
    because="It trims white space off tag values as a courtesy.",
    remedy="Refuse white space in a slug; do not trim it.",
)
class SlugTrimmed(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.strip()


@rogue(
    "slug-cut-at-nul",
    turns_red="AP-SLUG-07",
    because="It passes the slug through a C string.",
    remedy="Handle the slug as a string with a length, and refuse NUL.",
)
class SlugCutAtNul(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.partition("\0")[0] or event.slug


def _is_for_its_slug(refusal: str) -> bool:
    return refusal.startswith("invalid: persona event `d`")


@rogue(
    "refused-but-stored",
    turns_red="AP-SLUG-08",
    because="It validates after the insert and forgets to roll back.",
    remedy="Validate before the insert, or roll back.",
)
class RefusedButStored(Policy):
    def stores_although_refused(self, event: Event, refusal: str) -> bool:
        return _is_for_its_slug(refusal)


@rogue(
    "refused-but-fanned-out",
    turns_red="AP-SLUG-08",
    because="It publishes to subscribers before it validates.",
    remedy="Deliver live only after the event was accepted.",
)
class RefusedButFannedOut(Policy):
    def delivers_although_refused(self, event: Event, refusal: str) -> bool:
        return _is_for_its_slug(refusal)


@rogue(
    "refusal-without-prefix",
    turns_red="AP-SLUG-09",
    because="It sends the validator's own text, without the machine-readable prefix.",
    remedy="Begin each refusal with `invalid:`, `restricted:` or another prefix of NIP-01.",
)
class RefusalWithoutPrefix(Policy):
    def refusal(self, submission: Submission) -> str | None:
        refusal = super().refusal(submission)
        if refusal is not None and _is_for_its_slug(refusal):
            return refusal.removeprefix("invalid: ")
        return refusal


@rogue(
    "http-hides-the-reason",
    turns_red="AP-HTTP-01 AP-SLUG-09",
    because="Its HTTP layer replaces what it is told of a slug by a phrase of its own.",
    remedy="Return the reason of the refusal, prefix included, in the body.",
)
class HttpHidesTheReason(Policy):
    def refusal_over_http(self, refusal: str) -> str:
        return "bad request" if _is_for_its_slug(refusal) else refusal


@rogue(
    "slug-grammar-on-every-kind",
    turns_red="AP-CAT-03 AP-CAT-05 AP-SLUG-10 AP-TEAM-04",
    blinds="AP-CAT-06 AP-TEAM-05",
    because="It puts the check where all addressable kinds come by.",
    remedy="Apply the slug grammar to kind 30175 alone.",
)
class SlugGrammarOnEveryKind(Policy):
    def grammar_binds(self, kind: int) -> bool:
        return is_addressable(kind)


@rogue(
    "slug-tilde-accepted",
    turns_red="AP-SLUG-07",
    because="It takes the characters that a URL leaves unescaped for those of a slug.",
    remedy="Accept a-z, 0-9, the dash and the underscore in slugs, and nothing else.",
)
class SlugTildeAccepted(Policy):
    further_characters = Policy.further_characters | {"~"}


@rogue(
    "slug-words-refused",
    turns_red="AP-SLUG-11",
    because="It refuses slugs that are words of the language that it is written in.",
    remedy="Treat slugs as data: do not refuse keywords such as `null` or `constructor`.",
)
class SlugWordsRefused(Policy):
    def slug_is_not_empty(self, submission: Submission) -> str | None:
        reserved = ("null", "true", "false", "undefined", "constructor")
        if submission.event.kind == PERSONA and self.slug_of(submission.event) in reserved:
            return "invalid: reserved slug"
        return super().slug_is_not_empty(submission)


@rogue(
    "slug-of-digits-refused",
    turns_red="AP-SLUG-01 AP-SLUG-11",
    because="It takes a slug of digits alone for a number, and a number for no string.",
    remedy="Read the `d` tag as a string, whatever it looks like.",
)
class SlugOfDigitsRefused(Policy):
    def slug_is_not_empty(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and self.slug_of(submission.event).isdigit():
            return "invalid: persona event `d` tag must be a string"
        return super().slug_is_not_empty(submission)


@rogue(
    "address-key-of-32-bytes",
    turns_red="AP-READ-12 AP-REPL-16 AP-SLUG-12",
    blinds="AP-HTTP-06",
    by_chance="AP-DEL-17 AP-READ-18",
    because="Its key for an address has 32 bytes for the slug and cuts what is longer.",
    remedy="Use a key that holds all 64 characters of a slug.",
)
class AddressKeyOf32Bytes(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, slug[:32])


@rogue(
    "address-key-of-63-bytes",
    turns_red="AP-READ-12 AP-REPL-16 AP-SLUG-12",
    blinds="AP-READ-21",
    by_chance="AP-DEL-17 AP-HTTP-06 AP-READ-18",
    because="Its key for an address keeps a byte of 64 for the end of the string.",
    remedy="Use a key that holds all 64 characters of a slug and the end of the string.",
)
class AddressKeyOf63Bytes(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, slug[:63])


@rogue(
    "address-of-numbers",
    turns_red="AP-READ-12 AP-SLUG-11 AP-SLUG-12",
    by_chance="AP-DEL-17 AP-READ-18 AP-REPL-16",
    because="It compares slugs as numbers where both are, so that 7 and 007 are one.",
    remedy="Compare slugs as strings.",
)
class AddressOfNumbers(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, str(int(slug)) if slug.isdigit() else slug)


@rogue(
    "address-of-dashes",
    turns_red="AP-SLUG-12",
    blinds="AP-HTTP-06",
    by_chance="AP-DEL-17 AP-READ-12 AP-REPL-16",
    because="It makes a file name of the slug and writes `_` for `-` in it.",
    remedy="Use the slug itself as the key, or an encoding that can be undone.",
)
class AddressOfDashes(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, slug.replace("-", "_"))


@rogue(
    "tag-values-are-patterns",
    turns_red="AP-SCOPE-07 AP-SLUG-12 AP-TEAM-07",
    by_chance="AP-GATE-15 AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It looks values up with LIKE, to which `_` is any character.",
    remedy="Compare with = in place of LIKE, or escape `_` and `%`.",
)
class TagValuesArePatterns(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool] | None:
        return lambda value, wanted: fnmatchcase(value, wanted.replace("_", "?"))


@rogue(
    "address-among-newest-hundred",
    turns_red="AP-SLUG-13",
    because="It takes the author's newest hundred events and looks for the `d` among them.",
    remedy="Look the address up by author, kind and `d`, not among the newest events.",
)
class AddressAmongNewestHundred(Policy):
    def opens(self, store: Store) -> None:
        self._store = store

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        newer = "pubkey = ? AND kind = ? AND gone = 0 AND created_at > ?"
        if not any("d" in one.tags for one in filters):
            return rows
        return [
            row
            for row in rows
            if self._store.count_versions(newer, (row.pubkey, row.kind, row.created_at)) < 100
        ]
