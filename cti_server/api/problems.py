"""Makes every error of the API an application/problem+json (RFC 9457): what went wrong, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NotRequired

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

from cti_server.commands import CommandRefused
from cti_server.lookup.shapes import ReasonView
from cti_server.record.crm.contact_points import ContactPointTaken
from cti_server.record.crm.customers import BadCompany, ExternalRefTaken, UnknownCustomer
from cti_server.record.cursor import BadCursor
from cti_server.record.database import DatabaseRefusal, TookTooLong, refused_because
from cti_server.record.versions import StaleVersion
from cti_server.rules.facts import Reason

MEDIA_TYPE: Final = "application/problem+json"


#: the HTTP status of a refused command, by its code; every other code gets 409
REFUSED: Final[Mapping[str, int]] = {
    "not_yours": 403,
    "dial_refused": 403,
    "not_found": 404,
    "bad_target": 422,
    "key_reused": 422,
    "pbx_unreachable": 503,
    "record_away": 503,
    "server_stopping": 503,
}


class FieldError(TypedDict):
    at: str
    message: str


class ProblemView(TypedDict):
    """`code` is stable, for programs; `title`, `detail` and `remedy` (what helps) are English, for people.

    `reason` is there where a rule refused it (`dial_refused`). `draft` is the server's draft, where it refused one
    that was typed over another note.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: NotRequired[str]
    errors: NotRequired[list[FieldError]]
    reason: NotRequired[ReasonView]
    request: NotRequired[str]
    draft: NotRequired[dict[str, Any]]


class Problem(Exception):
    """Raise it anywhere in a request to answer with it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        remedy: str | None = None,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        draft: Any = None,
        reason: Reason | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.errors = errors
        self.headers = headers
        self.draft = draft
        self.reason = reason

    def view(self) -> ProblemView:
        view: ProblemView = {
            "type": f"urn:cti-server:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.remedy:
            view["remedy"] = self.remedy
        if self.errors:
            view["errors"] = self.errors
        if self.reason is not None:
            view["reason"] = {"code": self.reason.code, "params": dict(self.reason.params)}
        if self.draft is not None:
            view["draft"] = self.draft
        return view


def response(problem: Problem, request_id: str | None = None) -> JSONResponse:
    """The HTTP answer for `problem`. Problems are never cached."""
    view = problem.view()
    if request_id:
        view["request"] = request_id
    headers = {**(problem.headers or {}), "Cache-Control": "no-store"}
    return JSONResponse(view, problem.status, headers, media_type=MEDIA_TYPE)


def not_found(what: str) -> Problem:
    return Problem(404, "not_found", f"there is no such {what}, or it is not yours to see")


def internal() -> Problem:
    """A 500 that says nothing about the cause; the log has it under the request's id."""
    return Problem(
        500, "internal", "the server failed to answer", remedy="Give the request id to your administrator."
    )


def not_kept() -> Problem:
    """A 503: the database cannot be used now, so nothing was changed."""
    return Problem(
        503,
        "unavailable",
        "the server cannot reach or write its record, so nothing was saved",
        remedy="Try again in a minute; your administrator finds the cause with cti-server doctor.",
    )


_HTTP_CODES: Final = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
MAX_ERRORS: Final = 20


def of_http(error: HTTPException) -> Problem:
    code = _HTTP_CODES.get(error.status_code, "error")
    return Problem(error.status_code, code, str(error.detail), headers=error.headers)


def of_validation(error: RequestValidationError) -> Problem:
    """Says where and why a request is invalid, without the value that was sent: it may be a password."""
    errors: list[FieldError] = [
        {"at": ".".join(str(part) for part in found["loc"])[:200], "message": str(found["msg"])[:300]}
        for found in error.errors()[:MAX_ERRORS]
    ]
    return Problem(422, "invalid", "the request does not fit the API", errors=errors)


def of_command(refused: CommandRefused) -> Problem:
    """The problem for a command that the live side refused."""
    status = REFUSED.get(refused.code, 409)
    return Problem(status, refused.code, refused.detail, remedy=refused.remedy, reason=refused.reason)


def of_record(error: Exception) -> Problem:
    """The problem for a refusal by the record. Raises any other error again."""
    match error:
        case BadCursor():
            return Problem(
                400, "bad_cursor", "the cursor is not one of this list", remedy="Begin again without a cursor."
            )
        case TookTooLong():
            return Problem(
                422,
                "too_broad",
                f"looking through all that was ended after {error.seconds:g} s",
                remedy="Give a time span, or more of the word or number.",
            )
        case UnknownCustomer():
            return not_found("customer")
        case StaleVersion():
            return Problem(
                409,
                "stale",
                f"somebody changed the {error.what} meanwhile; it is at version {error.current}",
                remedy=f"Read the {error.what} again and repeat your change on it.",
            )
        case ContactPointTaken():
            return Problem(409, "contact_point_taken", "the customer has this number or address already")
        case ExternalRefTaken():
            return Problem(409, "external_ref_taken", "another customer has this external reference")
        case BadCompany():
            return Problem(422, "bad_company", str(error), remedy="Choose a customer of the kind company.")
        case DatabaseRefusal() if refused_because(error) == "taken":
            # It was looked at before: what is taken now was saved between the look and the write.
            return Problem(
                409,
                "taken",
                "somebody saved the same at the same moment",
                remedy="Read it again, and repeat your change.",
            )
        case DatabaseRefusal() if refused_because(error) == "text":
            return Problem(422, "invalid", "a text has characters that the record cannot hold, such as NUL")
    raise error


def install(app: FastAPI) -> None:
    """Make `app` answer errors with problems. `middleware.Edge` answers those of no known kind with a 500."""

    async def problem(request: Request, error: Exception) -> JSONResponse:
        match error:
            case Problem():
                found = error
            case RequestValidationError():
                found = of_validation(error)
            case HTTPException():
                found = of_http(error)
            case CommandRefused():
                found = of_command(error)
            case _:
                found = of_record(error)
        return response(found, request_id(request))

    for kind in (
        Problem,
        RequestValidationError,
        HTTPException,
        CommandRefused,
        BadCursor,
        TookTooLong,
        UnknownCustomer,
        StaleVersion,
        ContactPointTaken,
        ExternalRefTaken,
        BadCompany,
        DatabaseRefusal,
    ):
        app.add_exception_handler(kind, problem)


def request_id(request: Request) -> str | None:
    found = request.scope.get("state", {}).get("request_id")
    return found if isinstance(found, str) else None


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of an operation, for the OpenAPI document."""
    return {
        status: {"description": HTTPStatus(status).phrase, "model": ProblemView} for status in sorted(statuses)
    }
