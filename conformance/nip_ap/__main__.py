"""`python -m nip_ap` is the `nip-ap` command."""

from nip_ap.cli import main

main(prog_name="nip-ap")
