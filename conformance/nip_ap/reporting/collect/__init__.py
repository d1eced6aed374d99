"""Many reports: collections, histories and the static site."""
