"""Two reports compared: regressions first."""
