"""The two sides of a comparison that did not hold, in words for people."""

from __future__ import annotations

from nip_ap.checking.evidence import differences
from nip_ap.model.judgement import Comparison
from nip_ap.nostr import Event
from nip_ap.wire import Answer, Reading

_RELATIONS = {"==": "", "is": "", "!=": "anything but ", "is not": "anything but "}


def sides(relation: str, left: object, right: object) -> Comparison:
    """What was expected and what was seen, where an assertion compared what it saw (on its left).

    `in` has what was expected on its left: `assert event in reading`.
    """
    if relation in ("in", "not in"):
        verb = "to be" if relation == "in" else "not to be"
        return Comparison(f"{shown(left)} {verb} there", shown(right))
    expected = f"{_RELATIONS.get(relation, f'{relation} ')}{shown(right)}"
    seen = shown(left)
    if relation == "==" and isinstance(left, Event) and isinstance(right, Event):
        seen += f", which differs in {'; '.join(differences(left, right)) or 'its bytes alone'}"
    return Comparison(expected, seen)


def shown(value: object, longest: int = 400) -> str:
    """A value in words, cut short where it is long."""
    text = _described(value)
    return text if len(text) <= longest else f"{text[:longest]}..."


def _described(value: object) -> str:
    """An event by what distinguishes it from others, not by its key and signature."""
    if value is None:
        return "nothing"
    if isinstance(value, Event):
        tags = ", ".join(" ".join(map(repr, tag)) for tag in value.tags[:3])
        return (
            f"event {value.short_id} (kind {value.kind}, created_at {value.created_at}, "
            f"tags {tags or 'none'}, content {value.content[:120]!r})"
        )
    if isinstance(value, (Reading, Answer)):
        return str(value)
    if isinstance(value, (list, tuple)) and any(isinstance(one, Event) for one in value):
        return f"[{', '.join(map(_described, value))}]"
    return repr(value)
