"""Every option of `nip-ap run`: those that name the relay, the settings, and the delivery."""

from __future__ import annotations

from nip_ap.model import target_options
from nip_ap.model.delivery import Delivery
from nip_ap.model.options import Option, options_of
from nip_ap.model.settings import Settings


def option_table(
    settings: type[Settings] = Settings, delivery: type[Delivery] = Delivery
) -> tuple[Option, ...]:
    """The table, in the order of the help."""
    return (*target_options.OPTIONS, *options_of(settings), *options_of(delivery))
