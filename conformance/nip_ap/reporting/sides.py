"""Expected and seen on a page: what differs is marked, and numbered steps are a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from nip_ap.reporting.legible import visible

_LIKE_EACH_OTHER = 0.5
"""Below that two sentences are different ones, and marks would tell nothing."""
_MOST_WORDS = 400
_REPEATED = ", which differs in "
"""What says in words behind an event what the marks show in it."""
_WORDS = re.compile(r"\s+|[\w./#-]+|.", re.DOTALL)
_STEP = re.compile(r"(?:^|[;:,]? )([1-9][0-9]?)\. ")


def marked(expected: str, seen: str) -> tuple[Markup, Markup]:
    """Both sides as HTML, with a mark on what one has and the other has not."""
    told, _, rest = seen.partition(_REPEATED)
    left, right = _WORDS.findall(visible(expected)), _WORDS.findall(visible(told))
    tail = escape(visible(f"{_REPEATED}{rest}")) if rest else Markup("")
    if not left or not right or max(len(left), len(right)) > _MOST_WORDS:
        return escape(visible(expected)), escape(visible(seen))
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < _LIKE_EACH_OTHER:
        return escape(visible(expected)), escape(visible(seen))
    codes = matcher.get_opcodes()
    ours = [(left[start:end], kind != "equal") for kind, start, end, _, _ in codes]
    theirs = [(right[start:end], kind != "equal") for kind, _, _, start, end in codes]
    return Markup("").join(_pieces(ours)), Markup("").join([*_pieces(theirs), tail])


def _pieces(runs: Iterable[tuple[list[str], bool]]) -> Iterator[Markup]:
    for words, differs in runs:
        text = escape("".join(words))
        if text:
            yield Markup("<mark>{}</mark>").format(text) if differs and text.strip() else text


def listed(text: Markup) -> Markup:
    """A text in which "1. this; 2. that" is a list; any other text as it is."""
    numbers = list(_STEP.finditer(text))
    if len(numbers) < 2 or [int(one[1]) for one in numbers] != list(range(1, len(numbers) + 1)):
        return text
    ends = [*(one.start() for one in numbers[1:]), len(text)]
    steps = [text[one.end() : end] for one, end in zip(numbers, ends, strict=True)]
    head = text[: numbers[0].start()].rstrip(" :")
    items = Markup("").join(Markup("<li>{}</li>").format(Markup(step)) for step in steps)
    return Markup("{}<ol>{}</ol>").format(Markup(head), items)
