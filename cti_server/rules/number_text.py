"""The text around a telephone number: a URI, a display name, parameters, an extension, words for having none.

RFC 3261 19.1 (SIP URIs), RFC 3966 (tel URIs), RFC 4694 (parameters of ported numbers). Which digits make a number
is not known here; that is for `numbers`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_WITHHELD: Final = frozenset(
    {"anonymous", "unknown", "restricted", "private", "withheld", "unavailable", "blocked", "hidden", "none"}
    | {"null", "undefined", "privatenumber", "nonumber", "nocallerid", "nan", "outofarea", "unknowncaller"}
    | {"privatecaller", "anonymouscaller", "unknownnumber", "numberwithheld", "callerunknown", "notavailable"}
    | {"asterisk"}  # chan_sip's own name for a caller who gives none
    | {"anonym", "unbekannt", "unterdrückt", "anonyme", "inconnu", "masqué", "privado", "desconocido", "anonimo"}
    | {"аноним", "неизвестно", "неизвестный", "скрыт", "скрытыйномер", "номерскрыт"}
    | {
        "匿名",
        "未知",
        "隐藏",
        "保密",
        "未显示",
        "私人号码",
        "隐藏号码",
        "未知号码",
        "未知來電",
        "未知来电",
        "不明",
    }
    | {"非通知", "表示圏外", "公衆電話", "발신번호표시제한"}
)
_IN_BRACKETS: Final = re.compile(r"<([^<>]*)(?:>\s*(?:;.*)?)?$")
_SCHEME: Final = re.compile(r"^(sips?|tel|callto):\s*(?://)?", re.IGNORECASE)
_NUMBER_AS_HOST: Final = re.compile(r"\+?[0-9()\-]{3,}")
_DIGITS: Final = re.compile(r"\+?[0-9 ().\-]+")
_PARAMETER: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*\"?([^\"]*?)\"?\s*)?$")
_CONTEXT: Final = re.compile(r"\+[0-9]{1,7}")
_VISUAL: Final = re.compile(r"[\s().\-]")
_SPOKEN_EXTENSION: Final = re.compile(
    r"(?:转|轉|分机|分機|内线|内線|내선|ext\.?|extension|extn\.?|poste|durchwahl|доб\.?|x|#|,)\s*:?\s*([0-9]{1,6})$",
    re.IGNORECASE,
)
_DASH: Final = re.compile(r"[\u2010-\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d]")


@dataclass(frozen=True, slots=True)
class Written:
    """What stands for the number, the extension that the text names, and the E.164 prefix that completes it."""

    text: str
    extension: str | None = None
    context: str | None = None  # as `+8610`, of `;phone-context`


def read(raw: str) -> Written:
    """Take the number out of whatever is around it. Never raises."""
    text = plain(raw)
    if found := _IN_BRACKETS.search(text):
        text = found[1].strip()
    scheme = _SCHEME.match(text)
    if scheme is not None:
        text = unquote(text[scheme.end() :])
    elif text[:3].upper() == "%2B":
        text = unquote(text)
    kind = scheme[1].lower() if scheme is not None else None
    user, parameters = _user(text, kind)
    if user is None:
        return Written("")
    number, params = _split(user)
    params = {**_split(parameters)[1], **params}
    if kind in ("sip", "sips"):
        number = number.partition(":")[0]  # user:password
    number = plain(number)
    extension = params.get("ext") or params.get("isub")
    context = _VISUAL.sub("", params.get("phone-context", ""))
    if extension is not None and not (extension.isascii() and extension.isdigit()):
        extension = None
    if extension is None:
        number, extension = _split_spoken(number)
    return Written(number, extension, context if _CONTEXT.fullmatch(context) else None)


def says_withheld(text: str) -> bool:
    """Whether the text is empty or a word for a number that is hidden or not known."""
    word = re.sub(r"[\W_]+", "", text).casefold()
    return not word or word in _WITHHELD


def plain(raw: str) -> str:
    """The text with ASCII digits for full-width and other scripts', one kind of dash and no control characters."""
    text = unicodedata.normalize("NFKC", _DASH.sub("-", raw))
    out = []
    for ch in text:
        digit = unicodedata.decimal(ch, None)
        if digit is not None:
            out.append(str(digit))
        elif ch.isprintable() or ch.isspace():
            out.append(" " if ch.isspace() else ch)
    return "".join(out).strip()


def _user(text: str, kind: str | None) -> tuple[str | None, str]:
    """(who the text names, the parameters behind the host); None where it names a host and nobody there."""
    user, at, host = text.rpartition("@")
    if at:
        # RFC 3323: a caller who hides is anonymous@anonymous.invalid, or has some random user there
        hidden = host.partition(";")[0].partition(":")[0].lower().endswith(".invalid")
        is_number = _DIGITS.fullmatch(user.partition(";")[0]) is not None
        return (user if is_number or not hidden else None), f";{host.partition(';')[2]}"
    if kind in ("sip", "sips") and not _NUMBER_AS_HOST.fullmatch(text.partition(";")[0].strip()):
        return None, ""
    return text, ""


def _split(text: str) -> tuple[str, dict[str, str]]:
    """A number and its parameters: `+86138…;npdi;rn=+86139…`. Anything else behind a `;` is no parameter."""
    number, *pieces = text.split(";")
    found = [_PARAMETER.match(piece) for piece in pieces if piece.strip()]
    if not all(found):
        return text, {}
    return number, {match[1].lower(): match[2] or "" for match in reversed(found) if match is not None}


def _split_spoken(text: str) -> tuple[str, str | None]:
    found = _SPOKEN_EXTENSION.search(text)
    if not found or not any(ch.isdigit() for ch in text[: found.start()]):
        return text, None
    return text[: found.start()].rstrip(" ,;:("), found[1]
