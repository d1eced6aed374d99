"""REPL in combination: versions and look-alike addresses, compared with a model of NIP-01."""

from nip_ap.checking import plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import clause


@clause("AP-REPL-15")
def test_a_superseded_version_is_found_by_none_of_its_tags_or_dates(traffic):
    traffic.holds(plans.versions, Theme.VERSIONS)


@clause("AP-REPL-16")
def test_look_alike_addresses_have_independent_heads(traffic):
    traffic.holds(plans.heads, Theme.HEADS)
