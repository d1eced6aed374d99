"""The second half of the migrator contract: what a client with pinned spawn config can be asked.

A command that has the placeholder {task} declares the ability. It is called with `migrate`, or
with one of the tasks below; these read personas.json and managed-agents.json in the base
directory, print a JSON object, and may write managed-agents.json. `python -m
nip_ap_client.tasks` is such a command.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nip_ap_client.command import migrate
from nip_ap_client.pinned import PinnedAgents
from nip_ap_client.records import read_personas

VERSIONS, DRIFT, SPAWN, BACKFILL = "pin-versions", "pin-drift", "pin-spawn", "pin-backfill"


def versions(base: Path, pinned_agents: PinnedAgents) -> dict[str, Any]:
    """The version of each persona, by record id."""
    return {persona.id: pinned_agents.version_of(persona) for persona in read_personas(base)}


def badges(base: Path, pinned_agents: PinnedAgents) -> dict[str, Any]:
    """The badge of each agent, by name."""
    personas = read_personas(base)
    return {
        str(agent.rest.get("name")): str(pinned_agents.drift(agent, personas))
        for agent in pinned_agents.read(base)
    }


def spawned(base: Path, pinned_agents: PinnedAgents) -> dict[str, Any]:
    """Make an agent of each persona that has none, named after the persona's id."""
    personas, now = read_personas(base), int(time.time())
    agents = pinned_agents.started(pinned_agents.read(base), personas, at=now)
    linked = {agent.persona_id for agent in agents}
    made = [
        pinned_agents.spawn(persona, name=f"agent of {persona.id}", at=now)
        for persona in personas
        if persona.id not in linked
    ]
    pinned_agents.write(base, [*agents, *made])
    return {"spawned": len(made)}


def backfilled(base: Path, pinned_agents: PinnedAgents) -> dict[str, Any]:
    """Stamp what was never stamped; the file is written only where something changed."""
    before = pinned_agents.read(base)
    after = pinned_agents.backfill(before, read_personas(base), at=int(time.time()))
    if after != before:
        pinned_agents.write(base, after)
    return {"stamped": sum(one != other for one, other in zip(before, after, strict=True))}


TASKS: dict[str, Callable[[Path, PinnedAgents], dict[str, Any]]] = {
    VERSIONS: versions,
    DRIFT: badges,
    SPAWN: spawned,
    BACKFILL: backfilled,
}


@click.command()
@click.option("--base", required=True, type=click.Path(path_type=Path))
@click.option("--relay", required=True)
@click.option("--key-file", required=True, type=click.Path(path_type=Path))
@click.option("--task", type=click.Choice(("migrate", *TASKS)), default="migrate")
@click.option("--rogue", hidden=True, help="Deviate in one way; for `nip-ap prove --migrator`.")
@click.pass_context
def main(
    context: click.Context, base: Path, relay: str, key_file: Path, task: str, rogue: str | None
) -> None:
    """A client with both halves of the contract."""
    if task == "migrate":
        context.invoke(migrate, base=base, relay=relay, key_file=key_file, rogue=rogue)
        return
    pinned_agents = PinnedAgents()
    if rogue is not None:
        from nip_ap_client.rogues import rogue_named

        pinned_agents = rogue_named(rogue).pinned_agents()
    click.echo(json.dumps(TASKS[task](base, pinned_agents)))


if __name__ == "__main__":
    main()
