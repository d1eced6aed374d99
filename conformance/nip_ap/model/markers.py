"""The markers of checks, by name. pytest knows them always, also where no check is to run."""

from __future__ import annotations

CLAUSE, DESTRUCTIVE, OUTLIVES = "nip_ap_clause", "nip_ap_destructive", "nip_ap_outlives"

MARKERS = (
    f"{CLAUSE}(*ids, needs=()): the clauses that a NIP-AP check judges",
    f"{DESTRUCTIVE}: a NIP-AP check that may hurt the relay",
    f"{OUTLIVES}: a NIP-AP check that runs last of all",
)
