"""A relay that misbehaves on request: against it somebody else's client is tested."""
