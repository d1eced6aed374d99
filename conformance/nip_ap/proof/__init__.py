"""The proof: every check can fail, shown by rogues with one deviation each."""
