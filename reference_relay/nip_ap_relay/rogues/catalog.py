"""Rogues that get team catalogs (30178) wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from nip_ap.nostr import PERSONA, TEAM_CATALOG, Event, Filter
from nip_ap_relay import surfaces
from nip_ap_relay.audience import Readers, author
from nip_ap_relay.policy import Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "catalog-valueless-d-uncounted",
    turns_red="AP-CAT-01",
    because="It collects the values of the `d` tags, and one without a value is none.",
    remedy="Count `d` tags by their first element.",
)
class CatalogValuelessDUncounted(Policy):
    def catalog_tags(self, event: Event) -> list[str | None]:
        return list(event.tag_values("d"))


@rogue(
    "catalog-first-d-taken",
    turns_red="AP-CAT-01",
    because="It takes the first `d` tag and does not look for another.",
    remedy="Refuse a team catalog that has not exactly one `d` tag.",
)
class CatalogFirstDTaken(Policy):
    def number_of_catalog_tags_is_good(self, found: int) -> bool:
        return found >= 1


@rogue(
    "catalog-empty-id",
    turns_red="AP-CAT-02 AP-INSTR-03",
    because="It asks whether there is a `d` tag, and the empty one is there.",
    remedy="Refuse an empty team id.",
)
class CatalogEmptyId(Policy):
    def team_id_is_there(self, value: str) -> bool:
        return True

    def catalog_tags(self, event: Event) -> list[str | None]:
        tags = super().catalog_tags(event)
        return [] if tags == [None] else tags


@rogue(
    "catalog-id-in-bytes",
    turns_red="AP-CAT-03",
    because="It counts the bytes of a team id.",
    remedy="Count characters (Unicode scalar values), up to 64.",
)
class CatalogIdInBytes(Policy):
    def size_of_team_id(self, value: str) -> int:
        return len(value.encode())


@rogue(
    "catalog-id-unbounded",
    turns_red="AP-CAT-03 AP-INSTR-03",
    because="It takes a team id for opaque and has no bound for it.",
    remedy="Refuse a team id of more than 64 characters.",
)
class CatalogIdUnbounded(Policy):
    longest_team_id = 1024


@rogue(
    "catalog-id-in-utf16",
    turns_red="AP-CAT-03",
    because="It counts as its language does, where an emoji is two.",
    remedy="Count Unicode scalar values, not UTF-16 code units.",
)
class CatalogIdInUtf16(Policy):
    def size_of_team_id(self, value: str) -> int:
        return len(value.encode("utf-16-le")) // 2


@rogue(
    "catalog-id-ascii-space-alone",
    turns_red="AP-CAT-04 AP-INSTR-03",
    because="It looks for the white space of ASCII.",
    remedy="Refuse every Unicode white-space character in a team id.",
)
class CatalogIdAsciiSpaceAlone(Policy):
    def team_id_is_visible(self, value: str) -> bool:
        seen = "".join(one for one in value if not one.isspace() or one <= "\x9f")
        return super().team_id_is_visible(seen)


@rogue(
    "catalog-id-c1-controls",
    turns_red="AP-CAT-04 AP-INSTR-03",
    because="It takes the characters up to U+001F for the control characters.",
    remedy="Refuse U+007F to U+009F in a team id too.",
)
class CatalogIdC1Controls(Policy):
    def team_id_is_visible(self, value: str) -> bool:
        return super().team_id_is_visible(
            "".join(one for one in value if not "\x7f" <= one <= "\x9f")
        )


@rogue(
    "catalog-id-trimmed",
    turns_red="AP-CAT-04",
    because="It trims a team id before it looks at it.",
    remedy="Look at the team id as it came.",
)
class CatalogIdTrimmed(Policy):
    def team_id_is_visible(self, value: str) -> bool:
        return super().team_id_is_visible(value.strip())


@rogue(
    "catalog-slug-grammar",
    turns_red="AP-CAT-03 AP-CAT-05",
    blinds="AP-CAT-06",
    because="It holds team catalogs to the slug grammar of personas.",
    remedy="Apply the slug grammar to kind 30175 alone.",
)
class CatalogSlugGrammar(Policy):
    def grammar_binds(self, kind: int) -> bool:
        return kind in (PERSONA, TEAM_CATALOG)


class _Filed(Policy):
    """A relay that files team catalogs under another id than they have."""

    def filed(self, team: str) -> str:
        return team

    def slug_of(self, event: Event) -> str:
        slug = super().slug_of(event)
        return self.filed(slug) if event.kind == TEAM_CATALOG else slug

    def understood(self, one: Filter) -> Filter:
        if one.kinds != (TEAM_CATALOG,) or "d" not in one.tags:
            return one
        wanted = tuple(self.filed(team) for team in one.tags["d"])
        return one.changed(tags={**one.tags, "d": wanted})


@rogue(
    "catalog-ids-folded",
    turns_red="AP-CAT-06",
    because="It compares team ids without regard to case.",
    remedy="Compare team ids byte for byte.",
)
class CatalogIdsFolded(_Filed):
    def filed(self, team: str) -> str:
        return team.lower()


@rogue(
    "catalog-ids-normalised",
    turns_red="AP-CAT-06",
    because="Its database brings text into one Unicode form.",
    remedy="Compare team ids byte for byte, as they came.",
)
class CatalogIdsNormalised(_Filed):
    def filed(self, team: str) -> str:
        return unicodedata.normalize("NFC", team)


@rogue(
    "catalog-one-place",
    turns_red="AP-CAT-05 AP-CAT-06 AP-CAT-11 AP-CAT-13",
    by_chance="AP-CAT-03 AP-CAT-08",
    because="It knows no `d` but a slug, so that each team catalog lies at the empty address.",
    remedy="File a team catalog under its `d`, whatever characters that has.",
)
class CatalogOnePlace(_Filed):
    def filed(self, team: str) -> str:
        return ""


@rogue(
    "catalog-shared-shape-unchecked",
    turns_red="AP-CAT-07",
    because="It checks the shape of the `shared` tag on personas alone.",
    remedy="Check the `shared` tag on every kind that it opens to others.",
)
class CatalogSharedShapeUnchecked(Policy):
    def minds_shared_tags(self, kind: int) -> bool:
        return kind == PERSONA


class _Ungated(Policy):
    """A relay whose gate stands open for team catalogs at some surfaces."""

    open_at: tuple[str, ...] = ()

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        is_open = row.kind == TEAM_CATALOG and surface in self.open_at
        return is_open or super().may_read(row, reader, surface)


@rogue(
    "catalog-ungated",
    turns_red="AP-CAT-08 AP-CAT-10 AP-CAT-12",
    because="Its gate was written for personas, and the newer kind never met it.",
    remedy="Gate kind 30178 wherever kind 30175 is gated.",
)
class CatalogUngated(Policy):
    def readers_of(self, event: Event) -> Readers:
        return None if event.kind == TEAM_CATALOG else super().readers_of(event)


@rogue(
    "catalog-ungated-mixed-kinds",
    turns_red="AP-CAT-08",
    because="It gates filters whose kinds are all gated.",
    remedy="Apply the gate per event, not per filter.",
)
class CatalogUngatedMixedKinds(_Ungated):
    open_at = (surfaces.MIXED,)


@rogue(
    "catalog-ungated-live",
    turns_red="AP-CAT-08",
    because="Its fan-out asks the gate for personas alone.",
    remedy="Ask the gate for each subscriber before a team catalog is delivered.",
)
class CatalogUngatedLive(_Ungated):
    open_at = (surfaces.LIVE,)


@rogue(
    "catalog-ungated-count",
    turns_red="AP-CAT-08 AP-CAT-12",
    because="Its COUNT leaves personas out that are not shared, and knows no other kind.",
    remedy="Count only what the same reader would get from a REQ.",
)
class CatalogUngatedCount(_Ungated):
    open_at = (surfaces.COUNT,)


@rogue(
    "catalog-ungated-http",
    turns_red="AP-CAT-08 AP-CAT-10 AP-CAT-12",
    because="The bridge has a gate of its own, for personas.",
    remedy="Route HTTP queries through the same gate as REQ.",
)
class CatalogUngatedHttp(_Ungated):
    open_at = (surfaces.HTTP_QUERY, surfaces.HTTP_COUNT)


@rogue(
    "catalog-for-authors-alone",
    turns_red="AP-CAT-09",
    by_chance="AP-CAT-08",
    blinds="AP-CAT-10 AP-CAT-13",
    because="It keeps every team catalog to its author and never looks at the tag.",
    remedy='Serve a team catalog with `["shared", "true"]` to everybody who may read.',
)
class CatalogForAuthorsAlone(Policy):
    def readers_of(self, event: Event) -> Readers:
        return author(event) if event.kind == TEAM_CATALOG else super().readers_of(event)


@rogue(
    "catalog-unshared-is-deleted",
    turns_red="AP-CAT-10",
    because="It takes the head without the tag for a deletion, since the catalogue lost it.",
    remedy="Keep a head that is not shared, and serve it to its author.",
)
class CatalogUnsharedIsDeleted(Policy):
    def __init__(self, spec: str = "2026-11") -> None:
        super().__init__(spec)
        self._unshared = ""

    def supersedes(self, incoming: Event, head: Row) -> bool:
        wins = super().supersedes(incoming, head)
        if incoming.kind == TEAM_CATALOG and head.readers is None:
            self._unshared = incoming.id
        return wins

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows if row.id != self._unshared]


@rogue(
    "catalog-existence-oracle",
    turns_red="AP-CAT-12",
    because="It tells a stranger that he may not see the team that he asks for by its id.",
    remedy="Answer a hidden event exactly like one that does not exist.",
)
class CatalogExistenceOracle(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        asked = list(filters)
        if len(asked) == 1 and asked[0].kinds == (TEAM_CATALOG,) and not asked[0].authors:
            for identifier in asked[0].ids or ():
                row = store.event_by_id(identifier)
                if row is not None and not self.may_read(row, caller.pubkey, surfaces.IDS):
                    return "restricted: this team is not shared"
        return super().read_refusal(asked, caller, store)


@rogue(
    "catalog-tombstones-ignored",
    turns_red="AP-CAT-13",
    because="Its catalogue is a list of its own, and a deletion does not get there.",
    remedy="Delete what an `a` tag names, whatever its addressable kind.",
)
class CatalogTombstonesIgnored(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        return row.kind != TEAM_CATALOG and super().deletion_reaches(request, row)


@rogue(
    "catalog-last-written-wins",
    turns_red="AP-CAT-14",
    because="It upserts a team catalog by its id and does not compare dates.",
    remedy="Replace a head only by a version that is newer.",
)
class CatalogLastWrittenWins(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.kind == TEAM_CATALOG or super().supersedes(incoming, head)


@rogue(
    "catalog-id-punctuation-refused",
    turns_red="AP-CAT-05",
    because="It takes punctuation in a team id for an attack.",
    remedy="Refuse in a team id what cannot be seen, and nothing else.",
)
class CatalogIdPunctuationRefused(Policy):
    def catalog_d_is_a_team_id(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == TEAM_CATALOG and set("'\";\\") & set(event.slug):
            return "invalid: team catalog event `d` tag has a forbidden character"
        return super().catalog_d_is_a_team_id(submission)
