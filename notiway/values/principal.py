"""Principal: who is asking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a live client or an API reader is; `ends_at` is in seconds since the epoch, None for no fixed end."""

    user_id: str
    session: str | None = None
    ends_at: float | None = None
    tenant_id: str | None = None
    grants: tuple[str, ...] = ()
