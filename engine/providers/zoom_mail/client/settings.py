"""The operations on a mailbox's settings: vacation, delegates, filters."""

from __future__ import annotations

from engine.providers.zoom_mail import operations, settings_models
from engine.providers.zoom_mail.client.calls import Calls
from engine.providers.zoom_mail.settings_models import Criteria, Delegate, Filter, FilterAction, Vacation


class SettingsCalls(Calls):
    """Settings: the mailbox's own reply while its owner is away, its delegates, its filters."""

    async def vacation(self, mailbox: str) -> Vacation:
        return await self._read(Vacation, operations.GET_VACATION, mailbox)

    async def set_vacation(self, mailbox: str, vacation: Vacation) -> Vacation:
        return await self._read(Vacation, operations.UPDATE_VACATION, mailbox, json=vacation.body())

    async def delegates(self, mailbox: str) -> tuple[Delegate, ...]:
        return (await self._read(settings_models.Delegates, operations.LIST_DELEGATES, mailbox)).delegates

    async def delegate(self, mailbox: str, delegate: str) -> Delegate:
        return await self._read(Delegate, operations.GET_DELEGATE, mailbox, delegate)

    async def grant_delegate(self, mailbox: str, delegate: str, access: str = "") -> Delegate:
        """Let somebody use the mailbox, as `dlgreviewer`, `dlgauthor` or `dlgeditor`."""
        json = {"delegateEmail": delegate} | ({"delegateAccess": access} if access else {})
        return await self._read(Delegate, operations.GRANT_DELEGATE, mailbox, json=json)

    async def revoke_delegate(self, mailbox: str, delegate: str) -> None:
        await self._do(operations.REVOKE_DELEGATE, mailbox, delegate)

    async def filters(self, mailbox: str) -> tuple[Filter, ...]:
        return (await self._read(settings_models.Filters, operations.LIST_FILTERS, mailbox)).filters

    async def filter(self, mailbox: str, filter_: str) -> Filter:
        return await self._read(Filter, operations.GET_FILTER, mailbox, filter_)

    async def create_filter(self, mailbox: str, criteria: Criteria, action: FilterAction) -> Filter:
        """Make a filter once; there is no way to change one but to make another. Raises OutcomeUnknown."""
        json = {"criteria": criteria.body(), "action": action.body()}
        return await self._read(Filter, operations.CREATE_FILTER, mailbox, json=json)

    async def delete_filter(self, mailbox: str, filter_: str) -> None:
        await self._do(operations.DELETE_FILTER, mailbox, filter_)
