"""DEL in combination: generated deletion requests, compared with a model of NIP-09."""

from nip_ap.checking import plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import clause


@clause("AP-DEL-17")
def test_deletion_requests_of_every_form_reach_their_targets_alone(traffic):
    traffic.holds(plans.deletions, Theme.DELETION)
