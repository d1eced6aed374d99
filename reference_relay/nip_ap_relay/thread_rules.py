"""The rules of threads: where a reply may stand, how deep it is, what counts as top level."""

from __future__ import annotations

from nip_ap.nostr import Event
from nip_ap_relay.channels import REPLIABLE_KINDS
from nip_ap_relay.store import Row, Store
from nip_ap_relay.submission import Submission
from nip_ap_relay.threads import Place, marked


class ThreadRules:
    """The rules of threads, each a method that a rogue can override."""

    deepest_thread = 100

    def reply_stands_in_a_thread(self, submission: Submission) -> str | None:
        if submission.event.kind not in REPLIABLE_KINDS:
            return None
        return self.reply_has_a_place(submission)

    def reply_has_a_place(self, submission: Submission) -> str | None:
        """A reply needs a known parent of its own channel, the parent's root, and room below."""
        event, store = submission.event, submission.store
        markers = marked(event)
        if "reply" not in markers:
            return None
        parent = self.target_of(markers["reply"], submission)
        if parent is None:
            return self.answer_to_unknown_parent()
        objection = self.parent_is_of_the_channel(parent, event)
        if objection is not None:
            return objection
        above = store.place_of(parent.id)
        root = above.root if above else parent.id
        if not self.root_is_the_parents(markers.get("root", markers["reply"]), root):
            return "invalid: root tag does not match thread ancestry"
        if self.depth_below(above) > self.deepest_thread:
            return "invalid: thread depth limit exceeded"
        return None

    def target_of(self, identifier: str, submission: Submission) -> Row | None:
        """The event that a write names."""
        return submission.store.event_by_id(identifier)

    def answer_to_unknown_parent(self) -> str | None:
        return "invalid: reply parent not found"

    def parent_is_of_the_channel(self, parent: Row, event: Event) -> str | None:
        if parent.channel is None:
            return "invalid: parent event has no channel association"
        if parent.channel not in event.tag_values("h")[:1]:
            return "invalid: parent event belongs to a different channel"
        return None

    def root_is_the_parents(self, named: str, root: str) -> bool:
        return named == root

    def depth_below(self, parent: Place | None) -> int:
        """A root has depth 0; each reply is one deeper than what it answers."""
        return (parent.depth if parent else 0) + 1

    def is_broadcast(self, event: Event) -> bool:
        """Exactly `["broadcast","1"]` sets the flag."""
        return ("broadcast", "1") in event.tags

    def place_of_reply(self, event: Event, store: Store) -> Place | None:
        """What is recorded of an accepted reply; None for a message of the top level."""
        markers = marked(event)
        if "reply" not in markers:
            return None
        above = store.place_of(markers["reply"])
        return Place(
            root=above.root if above else markers["reply"],
            parent=markers["reply"],
            depth=self.depth_below(above),
            broadcast=self.is_broadcast(event),
        )

    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        """No reply, or a direct reply that is broadcast."""
        return not depth or (depth == 1 and broadcast)

    def within_depth(self, depth: int, limit: int) -> bool:
        return depth <= limit

    def belongs_to_thread(self, root: str, wanted: str) -> bool:
        return root == wanted

    def thread_shows_deleted(self) -> bool:
        return False
