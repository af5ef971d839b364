"""Profiles as the `profiles` hash holds them: JSON by mailbox."""

from __future__ import annotations

import json

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


def read_profile(text: str) -> Profile:
    fields = json.loads(text)
    away = fields["vacation"]
    return Profile(
        fields["history"], fields["status"], frozenset(fields["addresses"]), Period(*away) if away else None
    )
