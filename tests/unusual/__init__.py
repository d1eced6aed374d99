"""Correct relays with habits of their own: none of them breaks a rule, so no verdict may be red."""
