"""ROB-06: many connections at once, and still each acknowledged write is there and arrives once."""

from nip_ap.load.outcome import Fault
from nip_ap.scenario import Inconclusive, clause


def wrong_heads(served, heads):
    """Addresses that do not serve the newest of their acknowledged writes."""
    return [
        Fault(
            write.id, f"its address serves {served[slug].id[:8] if slug in served else 'nothing'}"
        )
        for slug, write in heads.items()
        if slug not in served or served[slug].id != write.id
    ]


@clause("AP-ROB-06", needs=["load"])
def test_what_is_acknowledged_under_load_is_there_and_arrives_once(owner, crowd, relay, check):
    seen = crowd.publishes_and_listens()
    check.fact("load", seen.figures())
    check.fact("latency", seen.latencies())
    owner.catch_up(owner.written)
    wrong = wrong_heads(owner.heads(*seen.heads), seen.heads)
    crowd.claims(wrong, "each head to be the newest write", seen)
    if not relay.lag:
        crowd.claims(seen.misread, "each write to be readable after its OK", seen)
    crowd.claims(seen.undelivered, "each write to reach each live subscriber once", seen)
    if seen.unanswered or seen.lost:
        raise Inconclusive(f"{len(seen.unanswered)} writes got no OK; lost: {seen.lost or 'none'}")
