"""How a run is carried out and where its results go: options that change no check's verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nip_ap.model.options import folder, option, path, seconds
from nip_ap.model.relay_url import relay_url


def _workers(given: str) -> str:
    if given != "auto" and not re.fullmatch("[1-9][0-9]{0,3}", given):
        raise ValueError(f"{given!r} is not a number of processes, nor auto")
    return given


@dataclass(frozen=True)
class Delivery:
    """One field an option, like the settings."""

    workers: str = option(
        "auto",
        "Processes; auto is one per core, at most 4.",
        "N",
        short="-n",
        read=_workers,
        under_pytest=False,  # xdist's -n
    )
    deadline: float = option(
        3600.0,
        "How long a run may take; what has not run by then is undecided.",
        "SECONDS",
        read=seconds,
        in_action=True,
    )
    out: Path | None = option(None, "Folder for reports.", "DIR", read=folder)
    allure: Path | None = option(
        None,
        "Folder for results that Allure reads; needs the extra `allure`.",
        "DIR",
        name="alluredir",
        read=folder,
        under_pytest=False,  # allure-pytest's own
    )
    like: Path | None = option(
        None,
        "An earlier report.json: hold the relay to the revision and capabilities found then.",
        "REPORT",
        read=path,
        in_action=True,
    )
    as_json: bool = option(
        False,
        "Print report.json and nothing else.",
        name="json",
        flag=True,
        under_pytest=False,
    )
    verbose: bool = option(
        False, "Print every check that is red or undecided in full.", flag=True, short="-v",
        under_pytest=False,
    )  # fmt: skip
    quiet: bool = option(
        False, "Print the verdict and its diagnosis alone.", flag=True, short="-q",
        under_pytest=False,
    )  # fmt: skip
    color: str = option(
        "auto", "Colours; auto is on a terminal.", choices=("auto", "always", "never"),
        under_pytest=False,
    )  # fmt: skip
    timings: bool = option(
        False, "Print where the time went, on standard error.", flag=True, under_pytest=False
    )
    fail_fast: bool = option(
        False, "Stop after the first check that fails or stays undecided.", flag=True,
        under_pytest=False,
    )  # fmt: skip
    certify: Path | None = option(
        None,
        "Sign a certificate into --out with the key in this file: 64 hex digits, mode 600.",
        "KEYFILE",
        read=path,
        under_pytest=False,
    )
    publish: str = option(
        "", "Put the certificate on a relay.", "RELAY", read=relay_url, under_pytest=False
    )
    baseline: Path | None = option(
        None,
        "Known failures (TOML, see `nip-ap baseline`); they run and do not fail the run.",
        "FILE",
        read=path,
        in_action=True,
    )
