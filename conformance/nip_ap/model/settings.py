"""The settings of a run, and which checks they select. A field with an `option` is an option."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field

from nip_ap.model.clauses import READER, RELAY, REVISIONS
from nip_ap.model.options import described, option, seconds, whole_number
from nip_ap.model.profile import BUZZ, PROFILES
from nip_ap.model.saved_sequence import check_of, saved_sequence
from nip_ap.model.seed import USUAL_EXAMPLES


@dataclass(frozen=True)
class Settings:
    """What may change a verdict. Holds no secret: `keys` is the path of a file.

    The settings go to every worker. An option is one field here and nothing else: `nip-ap run`,
    pytest, the line that repeats a check and action.yml are made from it (options.py). What changes
    no verdict belongs to Delivery.
    """

    seed: str = field(
        metadata=described(
            "Seed of slugs and contents; a random one if left out. Keys have a salt besides, "
            "which the reported seed holds: 7f3a.c0de42 repeats a run exactly."
        )
    )
    spec: str = option(
        "auto",
        "The revision of NIP-AP; auto finds out.",
        "REVISION",
        choices=("auto", *REVISIONS),
        in_action=True,
    )
    profile: str = option(
        BUZZ,
        "Whose rules bind the relay: buzz, all; nip-ap, all but those of block/buzz alone; "
        "generic, those of NIP-01 and of the NIPs that it claims.",
        "PROFILE",
        choices=PROFILES,
        in_action=True,
    )
    only: tuple[str, ...] = option(
        (), "Groups, clauses or checks, such as 'AP-SLUG-*'.", "GLOB", many=True
    )
    scenarios: str = option(
        "",
        "Run the checks of this folder too: clauses/*.toml and test_*.py of your own. They are "
        "reported apart, and are no part of NIP-AP.",
        "DIR",
    )
    auth: str = option(
        "nip42",
        "How to authenticate; x-pubkey sends a bare header over HTTP, as development relays allow.",
        "STYLE",
        choices=("nip42", "nip98", "x-pubkey"),
    )
    keys: str | None = option(
        None,
        "JSON file of secret keys by role, for closed relays; an array of sets lets as many checks "
        "run at once.",
        "FILE",
    )
    ca: str | None = option(
        None, "Trust the certificate authorities in this PEM file, for wss://.", "FILE"
    )
    answer_limit: float = option(
        8.0, "How long the relay may take for one answer.", "SECONDS", name="timeout", read=seconds
    )
    repeat: int = option(1, "Run each check this many times.", "N", read=whole_number(1))
    examples: int = option(
        USUAL_EXAMPLES,
        "Sequences that AP-REPL-09 tries; generated traffic grows with it. The usual ones are the "
        "same in each run; any other number makes others up, by the seed.",
        "N",
        read=whole_number(1),
    )
    replay: str = option(
        "",
        "Play a sequence that a report saved, and nothing else.",
        "FILE",
        read=saved_sequence,
        repeats=False,
    )
    shrink: bool = True
    keep_all_frames: bool = False
    strict: bool = option(False, "A warning makes the run not conformant.", flag=True)
    migrator: str = option(
        "", "Test this migrator too; {base}, {relay} and {key} are filled in.", "CMD"
    )
    migrator_load: int = 1000
    reader: str = option(
        "",
        "Test this reader of personas instead of a relay; {relay}, {owner}, {slug} and {key} are "
        "filled in.",
        "CMD",
    )
    reader_load: int = 10_000
    claims: tuple[str, ...] = option(
        (), "Fail where the relay lacks this capability.", "NAME", name="claim", many=True
    )
    load: bool = option(
        False, "Run AP-ROB-06 at full load, and heavy checks on any machine.", flag=True
    )
    publishers: int = option(
        64, "Connections that publish, with --load.", "N", read=whole_number(1)
    )
    subscribers: int = option(
        16, "Connections that listen, with --load.", "N", read=whole_number(1)
    )
    load_events: int = option(
        6400, "Events that all publishers send, with --load.", "N", read=whole_number(1)
    )
    load_seconds: float = option(
        20.0, "How long they send at most, once warm, with --load.", "SECONDS", read=seconds
    )
    kills: int = option(2, "How often AP-DUR-01 kills the relay.", "N", read=whole_number(1))

    @property
    def role(self) -> str:
        """Whom the run tests (clauses.py)."""
        return READER if self.reader else RELAY

    def selects(self, clauses: Iterable[str], check_id: str) -> bool:
        """Whether --only lets a check run: globs over groups, clause ids and check ids."""
        if self.replay:
            return check_id == check_of(self.replay)
        return not self.only or any(selects(one, clauses, check_id) for one in self.only)


def selects(pattern: str, clauses: Iterable[str], check_id: str) -> bool:
    """Whether one glob over groups, clause ids and check ids matches a check; case is ignored."""
    clauses = list(clauses)
    names = [check_id, *clauses, *(clause.split("-")[1] for clause in clauses)]
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names)
