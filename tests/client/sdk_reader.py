"""A reader on PyPI nostr-sdk in 30 lines, as somebody might write it in an hour. It leaves ids,
signatures and filters to the library, and does not know the fine print of NIP-AP."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

import nostr_sdk as sdk


async def personas(relay: str, owner: str) -> list[dict[str, object]]:
    client = sdk.ClientBuilder().build()
    await client.add_relay(sdk.RelayUrl.parse(relay), and_connect=True)
    wanted = sdk.Filter().kind(sdk.Kind(30175)).author(sdk.PublicKey.parse(owner))
    events = await client.fetch_events(sdk.ReqTarget.auto([wanted]), timeout=timedelta(seconds=3))
    heads: dict[str, sdk.Event] = {}
    for event in sorted(events, key=lambda one: one.created_at().as_secs()):
        values = [tag.to_vec()[1] for tag in event.tags() if tag.to_vec()[0] == "d"]
        heads["".join(values[:1])] = event
    found = []
    for slug, event in heads.items():
        body = json.loads(event.content())
        name, prompt = body["display_name"], body.get("system_prompt")
        found.append({"owner": owner, "slug": slug, "display_name": name, "system_prompt": prompt})
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(personas(*sys.argv[1:]))))
