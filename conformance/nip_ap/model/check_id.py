"""The id of a check, built and read in this one place.

`AP-READ-04/limit_is_per_filter[two]`: the first clause that the check judges, the name of its
function without `test_`, and its parameters in brackets where it has any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache


@dataclass(frozen=True)
class CheckId:
    """One check, or all variants of it where `parameters` is empty."""

    clause: str
    name: str
    parameters: str = ""

    @classmethod
    def of(cls, clause: str, function: str, parameters: str = "") -> CheckId:
        """The id of a test function: its first clause, its name, pytest's id of its parameters."""
        return cls(clause, function.removeprefix("test_"), parameters)

    @classmethod
    def read(cls, text: str) -> CheckId:
        """The parts of an id as it is written; a name alone has no clause."""
        return _read(text)

    @property
    def declared(self) -> CheckId:
        """The check as it is declared, of which this is one variant."""
        return replace(self, parameters="") if self.parameters else self

    @property
    def within_clause(self) -> str:
        """The name with the parameters, as it is shown below its clause."""
        return f"{self.name}[{self.parameters}]" if self.parameters else self.name

    def __str__(self) -> str:
        return f"{self.clause}/{self.within_clause}"


@lru_cache(maxsize=8192)  # certificates of others hold ids too: what is kept is bounded
def _read(text: str) -> CheckId:
    declared, _, parameters = text.partition("[")
    clause, _, name = declared.rpartition("/")
    return CheckId(clause, name, parameters.removesuffix("]"))
