"""Reliability as figures: the bundled relay and the suite under what breaks servers."""
