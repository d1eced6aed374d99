"""READ in combination: generated traffic, compared with a model of NIP-01."""

from nip_ap.checking import plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import clause


@clause("AP-READ-17")
def test_conditions_hold_in_every_combination(traffic):
    traffic.holds(plans.conditions, Theme.CONDITIONS)


@clause("AP-READ-18")
def test_each_limit_holds_for_its_own_filter(traffic):
    traffic.holds(plans.limits, Theme.LIMITS)


@clause("AP-READ-19")
def test_live_delivery_follows_every_filter(traffic):
    traffic.holds(plans.live, Theme.LIVE)


@clause("AP-READ-20")
def test_a_subscription_lives_from_its_req_to_its_close(traffic):
    traffic.holds(plans.subscriptions, Theme.LIVE)


@clause("AP-READ-21")
def test_count_agrees_with_what_is_served(traffic):
    traffic.holds(plans.counts, Theme.COUNTS)


@clause("AP-READ-12")
def test_an_accepted_write_is_found_by_any_filter_at_once(traffic):
    traffic.holds(plans.at_once, Theme.LATE, Theme.HEADS)
