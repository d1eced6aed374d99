"""The bundled reference relay: NIP-AP, both revisions, on SQLite. Read policy.py first."""
