"""Zoom Mail's operations, typed in and out. Labels are ids here."""

from __future__ import annotations

from engine.providers.zoom_mail import models, operations
from engine.providers.zoom_mail.client.calls import ME, PAGE
from engine.providers.zoom_mail.client.drafts import DraftCalls
from engine.providers.zoom_mail.client.labels import LabelCalls
from engine.providers.zoom_mail.client.messages import MessageCalls
from engine.providers.zoom_mail.client.settings import SettingsCalls
from engine.providers.zoom_mail.client.threads import ThreadCalls

__all__ = ["ME", "PAGE", "ZoomMailClient"]


class ZoomMailClient(MessageCalls, DraftCalls, ThreadCalls, LabelCalls, SettingsCalls):
    """The operations of all mailboxes of one account. Raises ProviderErrors and nothing else."""

    async def profile(self, mailbox: str) -> models.ProfileAnswer:
        return await self._read(models.ProfileAnswer, operations.PROFILE, mailbox)

    async def history(
        self, mailbox: str, start: int, page: str = "", *, label: str = ""
    ) -> models.HistoryAnswer:
        """Read the records after `start`, of one label if given. Raises CursorExpired.

        No `historyTypes`: its values are contradictory in the reference, so records are filtered here.
        """
        params = {"startHistoryId": str(start), "maxResults": str(PAGE), "pageToken": page, "labelId": label}
        return await self._read(models.HistoryAnswer, operations.HISTORY, mailbox, params=params)
