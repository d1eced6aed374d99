"""The client's half of NIP-AP: persona records, retention, the migrator, pinned spawn config.

Import the modules by name; nothing is imported here, so that a run of the command starts fast.
"""
