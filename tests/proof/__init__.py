"""Tests of the proof itself: a blinded check does not stay unnoticed."""
