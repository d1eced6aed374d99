"""The relay of PyPI nostr-sdk on a port; runs in the peer's environment, without our packages.

usage: python nostr_sdk_relay.py PORT [persona-policy] [lmdb DIR] [nip42 read|write|both] [limited]
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

import nostr_sdk

PERSONA = 30175
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def complaint(event: dict[str, object]) -> str:
    """What is wrong with the address of a persona; empty where nothing is."""
    if event["kind"] != PERSONA:
        return ""
    tags = event["tags"]
    assert isinstance(tags, list)
    slugs = [tag[1:2] for tag in tags if tag[:1] == ["d"]]
    if len(slugs) != 1:
        return f"a persona needs exactly one d tag, this has {len(slugs)}"
    if not slugs[0] or not SLUG.fullmatch(slugs[0][0]):
        return "the d tag of a persona must match [a-z0-9][a-z0-9_-]{0,63}"
    return ""


class PersonaPolicy(nostr_sdk.WritePolicy):  # type: ignore[misc]
    """Refuses what `complaint` complains about."""

    async def admit_event(self, event: nostr_sdk.Event, addr: str) -> nostr_sdk.WritePolicyResult:
        """Called by the relay for each event whose id and signature it has verified."""
        reason = complaint(json.loads(event.as_json()))
        if reason:
            return nostr_sdk.WritePolicyResult.REJECT(reason)
        return nostr_sdk.WritePolicyResult.ACCEPT()


async def serve(
    port: int, *, with_policy: bool, folder: str = "", nip42: str = "", limited: bool = False
) -> None:
    """Serve until killed, from memory, or from LMDB in a folder.

    The default rate limits are lifted unless it is to be limited; everything else is default.
    """
    nostr_sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    builder = nostr_sdk.LocalRelayBuilder().addr("127.0.0.1").port(port)
    if not limited:
        limits = nostr_sdk.RateLimit(max_reqs=100_000, notes_per_minute=100_000_000)
        builder = builder.rate_limit(limits)
    if nip42:
        mode = nostr_sdk.LocalRelayBuilderNip42Mode[nip42.upper()]
        builder = builder.nip42(nostr_sdk.LocalRelayBuilderNip42(mode=mode))
    if with_policy:
        builder = builder.write_policy(PersonaPolicy())
    if folder:
        builder = builder.database(await nostr_sdk.NostrLmdb.open(folder))
    relay = builder.build()
    await relay.run()
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, number, *options = sys.argv

    def after(word: str) -> str:
        return options[options.index(word) + 1] if word in options else ""

    asyncio.run(
        serve(
            int(number),
            with_policy="persona-policy" in options,
            folder=after("lmdb"),
            nip42=after("nip42"),
            limited="limited" in options,
        )
    )
