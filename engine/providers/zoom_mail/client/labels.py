"""The operations on labels themselves."""

from __future__ import annotations

from typing import Any

from engine.providers.zoom_mail import operations
from engine.providers.zoom_mail.client.calls import Calls
from engine.providers.zoom_mail.label_models import Label, LabelLook, Labels

PLAIN = LabelLook()


class LabelCalls(Calls):
    """Labels: list, get, create, replace, change, delete."""

    async def labels(self, mailbox: str, format_: str = "") -> tuple[Label, ...]:
        """List labels, as `minimal`, `basic` or `full` (the service's default)."""
        params = {"format": format_}
        return (await self._read(Labels, operations.LIST_LABELS, mailbox, params=params)).labels

    async def label(self, mailbox: str, label: str) -> Label:
        return await self._read(Label, operations.GET_LABEL, mailbox, label)

    async def create_label(self, mailbox: str, name: str, parent: str = "", look: LabelLook = PLAIN) -> Label:
        """Create a label below `parent` ("" for the top level). Raises NameTaken."""
        json = _body(name, parent, look)
        return await self._read(Label, operations.CREATE_LABEL, mailbox, json=json)

    async def update_label(
        self, mailbox: str, label: str, name: str, parent: str, look: LabelLook = PLAIN
    ) -> Label:
        """Rename or move a label; what `look` leaves out stays as it is. Raises NameTaken."""
        json = _body(name, parent, look)
        return await self._read(Label, operations.PATCH_LABEL, mailbox, label, json=json)

    async def replace_label(
        self, mailbox: str, label: str, name: str, parent: str, look: LabelLook = PLAIN
    ) -> Label:
        """Replace all that a label has; prefer `update_label`. Raises NameTaken.

        The reference requires `parentld`, with a small L, and no one knows which spelling the server
        takes: both are sent.
        """
        json = _body(name, parent, look) | {"parentld": parent}
        return await self._read(Label, operations.UPDATE_LABEL, mailbox, label, json=json)

    async def delete_label(self, mailbox: str, label: str) -> None:
        """Delete a label, which takes it off every message."""
        await self._do(operations.DELETE_LABEL, mailbox, label)


def _body(name: str, parent: str, look: LabelLook) -> dict[str, Any]:
    return {"name": name, "parentId": parent, **look.body()}
