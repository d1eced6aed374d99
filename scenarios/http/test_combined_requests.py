"""HTTP in combination: generated requests, compared with a model of NIP-01."""

from nip_ap.checking import plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import clause


@clause("AP-HTTP-06")
def test_conditions_and_limits_hold_over_http(traffic):
    traffic.holds(plans.http, Theme.CONDITIONS, Theme.LIMITS)


@clause("AP-HTTP-06")
def test_counts_hold_over_http(traffic):
    traffic.holds(plans.http_counts, Theme.COUNTS)
