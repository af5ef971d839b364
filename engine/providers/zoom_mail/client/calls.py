"""What all operations share: where they go, and how lists are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from engine.errors import Unauthorized
from engine.providers.zoom_mail import operations
from engine.providers.zoom_mail.caller import Ask, Caller
from engine.providers.zoom_mail.models import ProfileAnswer
from engine.providers.zoom_mail.operations import Operation

T = TypeVar("T", bound=BaseModel)

PAGE = 500
"""The most that any list gives (docs/api/mail)."""
ME = "me"
"""How a token of a user names its own mailbox (docs/api/using-zoom-apis)."""


class Calls:
    """Makes the calls of an account's mailboxes, or with `me` those of the one whose user consented."""

    def __init__(self, caller: Caller, *, me: bool = False) -> None:
        self._caller, self._me = caller, me
        self._owner: frozenset[str] = frozenset()

    async def aclose(self) -> None:
        await self._caller.aclose()

    async def _read(
        self,
        model: type[T],
        operation: Operation,
        mailbox: str,
        *ids: str,
        params: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> T:
        ask = Ask(operation, await self._address(mailbox), ids, given(params), json)
        return await self._caller.read(model, ask)

    async def _do(self, operation: Operation, mailbox: str, *ids: str, json: Any = None) -> None:
        await self._caller.do(Ask(operation, await self._address(mailbox), ids, json=json))

    async def _address(self, mailbox: str) -> str:
        """Name the mailbox in a path. Raises Unauthorized when the consent is another mailbox's."""
        if not self._me:
            return mailbox
        if not self._owner:
            self._owner = (await self._caller.read(ProfileAnswer, Ask(operations.PROFILE, ME))).own
        if mailbox.lower() not in self._owner:
            # "me" would read and change whichever mailbox its user has.
            raise Unauthorized(f"consent was given by another user than {mailbox}: sign in as {mailbox}")
        return ME


def given(params: Mapping[str, str] | None) -> dict[str, str] | None:
    """Leave out what is empty."""
    return {key: value for key, value in params.items() if value} if params else None


def listing(query: str = "", label: str = "", page: str = "") -> dict[str, str]:
    """Ask for the largest page, spam and trash included; of one label, since joining several is unknown."""
    return {
        "maxResults": str(PAGE),
        "includeSpamTrash": "true",
        "labelIds": label,
        "q": query,
        "pageToken": page,
    }


def label_change(add: Iterable[str], remove: Iterable[str]) -> dict[str, list[str]]:
    """Name the label ids to put on and to take off."""
    lists = {"addLabelIds": list(add), "removeLabelIds": list(remove)}
    return {key: value for key, value in lists.items() if value}
