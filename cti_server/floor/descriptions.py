"""What the record knows about a queue and the PBX does not. Signal, queue and parts share these declarations."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WrapUpRule:
    """What a queue asks for after a call; `wrapup.py` explains the modes. `limit_s` 0 means no limit."""

    mode: str = "mandatory"
    limit_s: float = 0.0
    extensions: int = 0
    code_required: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """A queue without a title goes by its name. A caller who gives up sooner than `short_abandon_s` is counted as
    a short abandon."""

    title_en: str | None = None
    title_zh: str | None = None
    short_abandon_s: float = 5.0
    wrap_up: WrapUpRule = field(default_factory=WrapUpRule)
