"""Profiles as the `profiles` hash holds them: JSON by mailbox."""

from __future__ import annotations

import json
from functools import lru_cache

from engine.flow.ports import Period, Profile
from engine.store.batch import dump


def write_profile(profile: Profile) -> str:
    away = profile.vacation
    fields = {
        "history": profile.history,
        "status": profile.status,
        "addresses": sorted(profile.addresses),
        "vacation": [away.start, away.end] if away else None,
    }
    return dump(fields)


@lru_cache(maxsize=10_000)
def read_profile(text: str) -> Profile:
    """Read a profile; those of all mailboxes are read with every step that is carried out."""
    fields = json.loads(text)
    away = fields["vacation"]
    return Profile(
        fields["history"], fields["status"], frozenset(fields["addresses"]), Period(*away) if away else None
    )
