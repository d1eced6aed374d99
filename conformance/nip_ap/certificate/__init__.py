"""Certificates: what a run found, signed, so that others can check it without trusting anybody."""
