"""The thread reads of POST /query: `depth_limit` and the later `top_level` window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.nostr import Draft, Filter
from nip_ap.nostr.channel import is_channel_id
from nip_ap_relay.channels import REPLIABLE_KINDS
from nip_ap_relay.protocol import Complaint
from nip_ap_relay.query import Query
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Row

THREAD_SUMMARY, WINDOW_BOUNDS = 39005, 39006

_HEX_ID = re.compile(r"[0-9a-f]{64}\Z")
_MOST_REPLIES, _DEFAULT_REPLIES = 500, 100
_MOST_ROWS, _DEFAULT_ROWS = 200, 50


@dataclass(frozen=True)
class ThreadReads:
    """Reads by recorded depth, for one reader."""

    relay: Relay
    query: Query

    def answers(self, one: Filter) -> bool:
        """Whether a filter asks for a thread read rather than an ordinary one."""
        return bool(one.extension.get("top_level")) or self._is_depth_limited(one)

    def read(self, one: Filter) -> list[str]:
        """The JSON texts that answer the filter. Raises Complaint."""
        if one.extension.get("top_level"):
            return self._window(one)
        return [row.raw for row in self._members(one)]

    @staticmethod
    def _is_depth_limited(one: Filter) -> bool:
        limit = one.extension.get("depth_limit")
        return type(limit) is int and limit >= 0 and len(one.tags.get("e", ())) == 1

    def _members(self, one: Filter) -> list[Row]:
        """The replies of a thread down to a depth; the root is not among them."""
        policy, store = self.relay.policy, self.relay.store
        most = min(one.limit if one.limit is not None else _DEFAULT_REPLIES, _MOST_REPLIES)
        alive = "1" if policy.thread_shows_deleted() else "gone = 0"
        channels = one.tags.get("h", ())
        rows = [
            row
            for row, place in store.placed(alive, ())
            if policy.belongs_to_thread(place.root, one.tags["e"][0])
            and policy.within_depth(place.depth, one.extension["depth_limit"])
            and (not channels or row.channel in channels)
            and self._may_read(row.channel)
        ]
        return rows[:most]

    def _may_read(self, channel: str | None) -> bool:
        return channel is not None and self.relay.policy.may_read_channel(
            channel, self.query.reader, self.relay.store
        )

    def _window(self, one: Filter) -> list[str]:
        """Rows of the top level, newest first, summaries on request, and the window's bounds."""
        channels = one.tags.get("h", ())
        if len(channels) != 1 or not is_channel_id(channels[0]):
            raise Complaint("top_level requires exactly one #h channel")
        before = one.extension.get("before_id")
        if before is not None and not (isinstance(before, str) and _HEX_ID.match(before)):
            raise Complaint("top_level: before_id must be a 64-hex event id")
        if (before is None) != (one.until is None):
            raise Complaint("top_level cursor requires both until and before_id, or neither")
        if not self._may_read(channels[0]):
            return []
        most = min(one.limit if one.limit is not None else _DEFAULT_ROWS, _MOST_ROWS)
        rows = self._top_level(channels[0], one, before)
        shown = rows[:most]
        summaries = (
            [text for row in shown for text in self._summary(row, channels[0])]
            if one.extension.get("include_summaries")
            else []
        )
        bounds = self._bounds(channels[0], shown, has_more=len(rows) > most)
        return [*(row.raw for row in shown), *summaries, bounds]

    def _top_level(self, channel: str, one: Filter, before: str | None) -> list[Row]:
        store, policy = self.relay.store, self.relay.policy
        kinds = sorted(REPLIABLE_KINDS & set(one.kinds or REPLIABLE_KINDS))
        marks = ",".join("?" for _ in kinds)
        rows = store.select(
            f"channel = ? AND gone = 0 AND kind IN ({marks})",
            (channel, *kinds),
            "ORDER BY created_at DESC, id ASC",
        )
        found = []
        for row in rows:
            place = store.place_of(row.id)
            if not policy.is_top_level(
                place.depth if place else None, place.broadcast if place else False
            ):
                continue
            if before is None or row.order > (-(one.until or 0), before):
                found.append(row)
        return found

    def _summary(self, row: Row, channel: str) -> list[str]:
        replies = self.relay.store.placed("gone = 0 AND root = ?", (row.id,))
        if not replies:
            return []
        content = {
            "reply_count": sum(place.parent == row.id for _, place in replies),
            "descendant_count": len(replies),
            "last_reply_at": max(reply.created_at for reply, _ in replies),
            "participants": sorted({reply.pubkey for reply, _ in replies}),
        }
        tags = (("e", row.id), ("d", row.id), ("h", channel))
        return [self._signed(THREAD_SUMMARY, tags, content)]

    def _bounds(self, channel: str, shown: list[Row], *, has_more: bool) -> str:
        last = shown[-1] if shown and has_more else None
        cursor = {"created_at": last.created_at, "id": last.id} if last else None
        content = {"has_more": has_more, "next_cursor": cursor}
        tags = (("d", f"{channel}:head"), ("h", channel))
        return self._signed(WINDOW_BOUNDS, tags, content)

    def _signed(self, kind: int, tags: tuple[tuple[str, ...], ...], content: Any) -> str:
        now = self.relay.policy.now()
        draft = Draft(kind, now, tags, orjson.dumps(content).decode())
        return orjson.dumps(draft.signed_by(self.relay.key).to_json()).decode()
