"""Load: many connections that publish and listen at once. What they saw; others judge it."""

from nip_ap.load.crowd import Crowd
from nip_ap.load.outcome import Outcome
from nip_ap.load.shape import SMALL, Shape

__all__ = ["SMALL", "Crowd", "Outcome", "Shape"]
