"""How answers are written."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse

from engine.sandbox.failure import ApiError


class Answered(JSONResponse):
    """JSON in ASCII: header values may hold what UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


def refused(error: ApiError) -> Answered:
    """Say no, in the error's own words."""
    return Answered(error.body, error.status, headers=error.headers)
