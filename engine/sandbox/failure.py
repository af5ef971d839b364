"""The service's refusals, in Zoom's error shape {"code", "message", "errors"?}."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """One refused call: its HTTP status, Zoom's code and what to tell the caller."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: int | None = None,
        field: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, object] = {"code": code or status, "message": message}
        if field:
            self.body["errors"] = [{"field": field, "message": message}]


def invalid(field: str, message: str) -> ApiError:
    """Refuse a parameter or field; 300 is Zoom's code for a failed validation."""
    return ApiError(400, message, code=300, field=field)


def not_found(what: str) -> ApiError:
    """Refuse an id that names nothing."""
    return ApiError(404, f"{what} does not exist.")
