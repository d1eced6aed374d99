"""How one relay does NIP-42: when its challenge comes, and what follows the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ANSWERED = "AP-AUTH-04"
"""The clause about what follows a right AUTH; it is judged also where nothing else can be."""

NEVER, ON_CONNECT, ON_READ, ON_WRITE = "never", "connect", "read", "write"

_WORDS = {
    NEVER: "it sends no challenge",
    ON_CONNECT: "it challenges at connect",
    ON_READ: "it challenges when a read needs authentication",
    ON_WRITE: "it challenges when a write needs authentication",
}


@dataclass(frozen=True)
class Greeting:
    """As the preflight found it. `fault` is what is wrong with the answer to a right AUTH."""

    moment: str = NEVER
    delay: float = 0.0
    """Seconds after which a challenge at connect came, where it came late."""
    answers: bool = True
    """Whether an OK follows an AUTH; where none does, nobody waits for it."""
    in_order: bool = False
    """Whether what follows an AUTH at once is judged after it, so that nobody waits for its OK."""
    fault: str = ""

    @property
    def challenges(self) -> bool:
        """Whether there is a challenge to answer."""
        return self.moment != NEVER

    def __str__(self) -> str:
        late = f", {self.delay * 1000:.0f} ms late" if self.delay else ""
        fault = f"; {self.fault}" if self.fault else ""
        return f"{_WORDS[self.moment]}{late}{fault}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Greeting:
        """What `to_json` gave."""
        return cls(**value)


SILENT = Greeting()
"""No challenge is expected; one that comes with a refusal is answered all the same."""
CHALLENGING = Greeting(ON_CONNECT)
