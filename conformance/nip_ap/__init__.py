"""The conformance suite for Nostr relays that carry agent personas (NIP-AP, kind 30175)."""

from nip_ap.version import __version__

__all__ = ["__version__"]
