from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.errors import ConditionError
from engine.mail.auth import FIELD, METHODS, RESULTS, auth_results
from engine.mail.needs import Need, Needs
from engine.rules.choices import choices
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Condition
from engine.rules.sources import HeaderTexts
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import NONE, Captures
from engine.rules.view import View

Results = Annotated[tuple[str, ...] | None, *choices("result", RESULTS)]


class Auth(Condition):
    """What the receiving server found when it checked the sender; of a list, one result must hold.

    Only that server's own Authentication-Results count, by the name or names that `authserv_id` gives it
    in the mailbox's configuration; what others wrote into the message does not. Where several methods are
    asked for, all must hold. A method that the server does not report holds no result, not even `none`.
    """

    key = "auth"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = ("auth: {dmarc: pass}", "auth: {spf: [fail, softfail], dkim: [none, fail]}")

    spf: Results = Field(
        None, description="Whether the sending server may send for the envelope sender's domain."
    )
    dkim: Results = Field(None, description="Whether a signature holds; of several, one is enough to pass.")
    dmarc: Results = Field(None, description="Whether SPF or DKIM passed for the domain in From.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self._wanted:
            raise ValueError(f"asks nothing; write one of {', '.join(METHODS)}")
        return self

    @property
    def _wanted(self) -> dict[str, tuple[str, ...]]:
        asked = {"spf": self.spf, "dkim": self.dkim, "dmarc": self.dmarc}
        return {method: results for method, results in asked.items() if results is not None}

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return (Clue(HeaderTexts(FIELD), How.ANY),)

    def check(self, view: View) -> Captures | None:
        found = _results(view)
        nothing = frozenset[str]()
        held = all(
            not found.get(method, nothing).isdisjoint(results) for method, results in self._wanted.items()
        )
        return NONE if held else None

    def seen(self, view: View) -> str:
        found = _results(view)
        told = [f"{method}={'/'.join(sorted(found[method])) or 'unclear'}" for method in found]
        return ", ".join(told) or "no results of the receiving server"


def _results(view: View) -> Mapping[str, frozenset[str]]:
    """Read them once. Raises ConditionError where nobody said whom to believe."""
    if FIELD not in view.message.headers:
        return {}
    servers = view.home.authserv_ids
    if not servers:
        raise ConditionError("the mailbox's authserv_id is not configured, so no result can be believed")
    return view.once(("auth", ""), lambda first: auth_results(first.message.headers, servers))
