"""The rules of teams, managed agents and team catalogs: NIP-AP, after June."""

from __future__ import annotations

import unicodedata

from nip_ap.nostr import TEAM_CATALOG, Event, is_addressable
from nip_ap_relay.submission import Rule, Submission


class FamilyRules:
    """The rules of the agent family beyond personas, each a method that a rogue can override."""

    longest_d = 1024
    """Bytes of any `d` value."""
    longest_team_id = 64
    """Characters, not bytes."""

    def family_rules(self) -> tuple[Rule, ...]:
        return (self.d_fits, self.catalog_has_one_d_tag, self.catalog_d_is_a_team_id)

    def d_fits(self, submission: Submission) -> str | None:
        """The bound of every addressable kind; some have a narrower one of their own."""
        event = submission.event
        if not is_addressable(event.kind):
            return None
        for value in event.tag_values("d"):
            if len(value.encode()) > self.longest_d:
                return f"invalid: `d` tag too long (max {self.longest_d} bytes)"
        return None

    def catalog_tags(self, event: Event) -> list[str | None]:
        """The `d` tags of a team catalog by value; a valueless one counts."""
        return [tag[1] if len(tag) > 1 else None for tag in event.tags if tag[0] == "d"]

    def catalog_has_one_d_tag(self, submission: Submission) -> str | None:
        if submission.event.kind != TEAM_CATALOG:
            return None
        found = len(self.catalog_tags(submission.event))
        if not self.number_of_catalog_tags_is_good(found):
            return f"invalid: team catalog event must have exactly one `d` tag (got {found})"
        return None

    def number_of_catalog_tags_is_good(self, found: int) -> bool:
        return found == 1

    def catalog_d_is_a_team_id(self, submission: Submission) -> str | None:
        if submission.event.kind != TEAM_CATALOG:
            return None
        for value in self.catalog_tags(submission.event):
            objection = self.objection_to_team_id(value or "")
            if objection is not None:
                return f"invalid: team catalog event `d` tag {objection}"
        return None

    def objection_to_team_id(self, value: str) -> str | None:
        """What is wrong with a team id: no grammar binds it but length and what cannot be seen."""
        if not self.team_id_is_there(value):
            return "must not be empty"
        size = self.size_of_team_id(value)
        if size > self.longest_team_id:
            return f"too long ({size} chars, max {self.longest_team_id})"
        if not self.team_id_is_visible(value):
            return "must not contain control characters or whitespace"
        return None

    def team_id_is_there(self, value: str) -> bool:
        return value != ""

    def size_of_team_id(self, value: str) -> int:
        """In Unicode scalar values."""
        return len(value)

    def team_id_is_visible(self, value: str) -> bool:
        return not any(is_control(one) or one.isspace() for one in value)


def is_control(character: str) -> bool:
    """Whether Unicode calls it a control character."""
    return unicodedata.category(character) == "Cc"
