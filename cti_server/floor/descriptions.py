"""What the record knows of a queue and the PBX does not: declared once for signal, queue and parts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WrapUpRule:
    """What a queue asks after a call; `wrapup.py` says what the modes mean. `limit_s` 0: no limit."""

    mode: str = "mandatory"
    limit_s: float = 0.0
    extensions: int = 0
    code_required: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """A queue without a title is called by its name. A caller who gives up sooner than `short_abandon_s` counts
    apart."""

    title_en: str | None = None
    title_zh: str | None = None
    short_abandon_s: float = 5.0
    wrap_up: WrapUpRule = field(default_factory=WrapUpRule)
