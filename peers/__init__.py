"""Real relays that none of us wrote: installed, started, tested, and what came of it."""
