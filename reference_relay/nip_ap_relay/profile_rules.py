"""The rules of profiles: which name one claims (NIP-05), and who may add an agent to a channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from nip_ap.nostr import Event
from nip_ap_relay.channels import ADD_MEMBER
from nip_ap_relay.recording import sent
from nip_ap_relay.rehearsable import only_a_run_shows
from nip_ap_relay.store import Store
from nip_ap_relay.submission import Rule, Submission

AGENT_PROFILE = 10100

_ASKED_FOR = sent("GET /.well-known")

_HANDLE = re.compile(r"[a-z0-9._-]{1,64}@[a-z0-9.:-]{1,255}\Z")


class ProfileRules:
    """The rules of profiles, each a method that a rogue can override."""

    def profile_rules(self) -> tuple[Rule, ...]:
        return (self.agent_lets_itself_be_added,)

    # -- agents ------------------------------------------------------------------

    def agent_lets_itself_be_added(self, submission: Submission) -> str | None:
        """An agent says in its kind 10100 who may add it; whoever adds themselves may."""
        event = submission.event
        if event.kind != ADD_MEMBER:
            return None
        for pubkey in event.tag_values("p"):
            if pubkey == event.pubkey and self.one_may_add_oneself():
                continue
            policy = self.add_policy_of(pubkey, submission.store)
            if not self.policy_allows(policy):
                return f"restricted: policy:{policy}: this agent is not added by others"
        return None

    def one_may_add_oneself(self) -> bool:
        return True

    def policy_allows(self, policy: str) -> bool:
        """Nobody is known as the owner of an agent here, so that `owner_only` lets nobody."""
        return policy not in ("nobody", "owner_only")

    def add_policy_of(self, pubkey: str, store: Store) -> str:
        """The agent's word in its newest kind 10100; empty where it has none."""
        for row in store.rows_at(f"{AGENT_PROFILE}:{pubkey}:"):
            content = _object_in(orjson.loads(row.raw)["content"])
            policy = content.get("channel_add_policy")
            return policy if isinstance(policy, str) else ""
        return ""

    # -- names -------------------------------------------------------------------

    @only_a_run_shows(where=_ASKED_FOR)
    def name_claimed(self, profile: Event, before: str | None) -> str | None:
        """The `name@domain` that a profile claims; `before` is what its author claimed until now.

        A name of another domain is a claim like any other: it resolves there, and not here.
        """
        claimed = _object_in(profile.content).get("nip05")
        handle = claimed.strip().lower() if isinstance(claimed, str) else ""
        return handle if _HANDLE.match(handle) else None

    @only_a_run_shows(where=_ASKED_FOR)
    def gives_up_old_names(self) -> bool:
        """A new profile gives up the name that the old one claimed."""
        return True

    @only_a_run_shows(where=_ASKED_FOR)
    def headers_of_names(self) -> Mapping[str, str]:
        """Any page may ask for names (NIP-05)."""
        return {"access-control-allow-origin": "*"}


def _object_in(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
