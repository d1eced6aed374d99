"""certificate.html: a certificate on one page, to read or print. The signed file is the proof."""

from __future__ import annotations

from pathlib import Path

from nip_ap.certificate.document import Certificate, role_in
from nip_ap.reporting.templates import render

PAGE_NAME = "certificate.html"


def write_page(certificate: Certificate, out: Path) -> None:
    """Write the page into the folder of the report."""
    (out / PAGE_NAME).write_text(page_of(certificate), encoding="utf-8")


def page_of(certificate: Certificate) -> str:
    """What is certified of whom, what that proves, and what it does not. It needs no network."""
    content = certificate.content
    verdicts = [str(one) for one in certificate.verdicts.values()]
    return render(
        "certificate.html",
        role=role_in(content),
        subject=certificate.subject,
        url=content["target"]["url"],
        is_bundled=content["target"]["bundled"],
        level=content["level"],
        spec=content["run"]["spec"],
        day=content["run"]["started"].partition("T")[0],
        seed=content["run"]["seed"],
        suite=f"{content['suite']['name']} {content['suite']['version']}",
        counts=[(one, verdicts.count(one)) for one in sorted(set(verdicts))],
        checks=len(verdicts),
        beyond=sum(content["not_judged_again"].values()),
        offered=sorted(name for name, has in content["capabilities"].items() if has == "yes"),
        lacking=sorted(name for name, has in content["capabilities"].items() if has != "yes"),
        issuer=certificate.event.pubkey,
        event=certificate.event.id,
    )
