"""GATE-15: strangers ask in every filter shape, at every surface, after every kind of write."""

from nip_ap.checking import gate_plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import clause


@clause("AP-GATE-15")
def test_stored_answers_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.stored, Theme.GATE)


@clause("AP-GATE-15")
def test_live_delivery_is_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.live, Theme.GATE)


@clause("AP-GATE-15", needs=["count"])
def test_counts_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.counts, Theme.GATE)


@clause("AP-GATE-15", needs=["http"])
def test_the_http_door_is_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.http, Theme.GATE)
