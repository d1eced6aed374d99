"""Targets: what a run is pointed at. One small interface, whatever stands behind it."""

from nip_ap.targets.base import Target, TargetError, TargetUsage
from nip_ap.targets.bundled import BundledTarget
from nip_ap.targets.url import UrlTarget

__all__ = ["BundledTarget", "Target", "TargetError", "TargetUsage", "UrlTarget"]
