"""The pages of a study and what they ask of the server: consent, examples, trials, the end.

What a page may do follows from its cookie, a random key that only the browser holds. Every request that changes
something carries a token that is derived from that key, which no other site can know.
"""

from __future__ import annotations

import hmac
import json
import math
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from zoo.study.store import Answer, RefusedError, Study

HERE = Path(__file__).parent
COOKIE = "study"
COOKIE_SECONDS = 90 * 24 * 3600  # for which a subject can go on where they stopped
KEY_LENGTH = 43  # characters of 32 random bytes
LARGEST_BODY = 4096  # bytes
LONGEST_MS = 24 * 3600 * 1000
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

Handler = Callable[[Request], Awaitable[Response]]


def application(study: Study) -> Starlette:
    """The ASGI application of a study."""
    pages = Pages(study)
    return Starlette(
        routes=[
            Route("/", pages.welcome),
            Route("/consent", pages.consent, methods=["POST"]),
            Route("/again", pages.again, methods=["POST"]),
            Route("/examples/{number:int}", pages.example),
            Route("/trials", pages.trials),
            Route("/trial", pages.trial, methods=["POST"]),
            Route("/pictures/{token}", pages.picture),
            Route("/answer", pages.answer, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(_WithHeaders)],
        exception_handlers={HTTPException: pages.error, RefusedError: _refused, SQLAlchemyError: _unavailable},
    )


class Pages:
    """The handlers of requests to a study's pages.

    Args:
        study: the study that the pages belong to.
    """

    def __init__(self, study: Study):
        self.study = study
        self.templates = Jinja2Templates(HERE / "templates")

    async def welcome(self, request: Request) -> Response:
        """Instructions and consent; whoever has consented already is sent on to the trials."""
        key = _key(request) or secrets.token_urlsafe(32)
        subject = await run_in_threadpool(self.study.subject, key)
        if subject is not None:
            return RedirectResponse("/trials", 303)
        response = self.page(request, "welcome.html", key)
        response.set_cookie(
            COOKIE, key, COOKIE_SECONDS, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response

    async def consent(self, request: Request) -> Response:
        """Makes the subject and plans the first session."""
        key = await self.form_key(request)
        subject = await run_in_threadpool(self.study.consent, key)
        await run_in_threadpool(self.study.begin, subject)
        return RedirectResponse("/trials", 303)

    async def again(self, request: Request) -> Response:
        """Plans another session."""
        await self.form_key(request)
        subject = await self.subject(request)
        await run_in_threadpool(self.study.begin, subject)
        return RedirectResponse("/trials", 303)

    async def trials(self, request: Request) -> Response:
        """The page on which all trials of a session take place, or the end."""
        subject = await run_in_threadpool(self.study.subject, _key(request) or "")
        if subject is None:
            return RedirectResponse("/", 303)
        done, total = await run_in_threadpool(self.study.progress, subject)
        if total == 0:  # the server was stopped between the consent and the plan
            await run_in_threadpool(self.study.begin, subject)
            return RedirectResponse("/trials", 303)
        if done < total:
            return self.page(request, "trials.html", _key(request), done=done, total=total)
        again = await run_in_threadpool(self.study.can_begin, subject)
        return self.page(request, "done.html", _key(request), again=again)

    async def example(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number >= self.study.protocol.examples:
            raise HTTPException(404)
        return Response(await run_in_threadpool(self.study.example, number), media_type="image/png")

    async def trial(self, request: Request) -> Response:
        """What comes next, as JSON."""
        subject = await self.script_subject(request)
        return JSONResponse(await self.next(subject))

    async def picture(self, request: Request) -> Response:
        """The picture of the next trial, sent once. Its length and headers are the same for every source."""
        subject = await self.subject(request)
        png = await run_in_threadpool(self.study.show, subject, request.path_params["token"])
        return Response(png, media_type="image/png")

    async def answer(self, request: Request) -> Response:
        """Takes an answer and says what comes next, as JSON."""
        subject = await self.script_subject(request)
        given = _answer(await _body(request))
        right = await run_in_threadpool(self.study.answer, subject, given)
        return JSONResponse({"right": right, **await self.next(subject)})

    async def next(self, subject: int) -> dict:
        trial = await run_in_threadpool(self.study.next, subject)
        return {"trial": trial and trial._asdict()}

    async def error(self, request: Request, error: HTTPException) -> Response:
        if request.method == "POST" and request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"error": error.detail}, error.status_code)
        return self.page(request, "error.html", None, status_code=error.status_code, detail=error.detail)

    def page(self, request: Request, template: str, key: str | None, status_code: int = 200, **values) -> Response:
        protocol = self.study.protocol
        values |= {"protocol": protocol, "paragraphs": _paragraphs, "shape": self.study.settings["image_shape"]}
        values["token"] = key and self.study.token_for(key)
        return self.templates.TemplateResponse(request, template, values, status_code=status_code)

    async def subject(self, request: Request) -> int:
        """The subject to whom the request's cookie belongs."""
        subject = await run_in_threadpool(self.study.subject, _key(request) or "")
        if subject is None:
            raise HTTPException(403, "This page belongs to a session. Open the first page to begin one.")
        return subject

    async def script_subject(self, request: Request) -> int:
        """As `subject`, for a request by the page's script."""
        self.check(request, request.headers.get("x-token", ""))
        return await self.subject(request)

    async def form_key(self, request: Request) -> str:
        """The key of a request from a form."""
        fields = parse_qs((await _body(request)).decode("ascii", "replace"))
        self.check(request, fields.get("token", [""])[0])
        return _key(request)

    def check(self, request: Request, token: str) -> None:
        """Refuses a request that does not come from this study's own page."""
        key = _key(request)
        if key is None or not hmac.compare_digest(self.study.token_for(key).encode(), token.encode("utf-8", "replace")):
            raise HTTPException(403, "This page is out of date, or its cookie is missing. Open the first page again.")


class _WithHeaders:
    """Adds the same headers to every response."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _key(request: Request) -> str | None:
    key = request.cookies.get(COOKIE, "")
    return key if len(key) == KEY_LENGTH and key.isascii() else None


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, "The request is too long.")
    return body


def _answer(body: bytes) -> Answer:
    """Reads an answer, or refuses it."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    valid = isinstance(fields, dict) and fields.keys() == {*Answer._fields}
    valid = valid and isinstance(fields["token"], str) and isinstance(fields["taken_for_real"], bool)
    for name in ("achieved_ms", "frame_ms", "reaction_ms"):
        valid = valid and isinstance(number := fields[name], int | float) and not isinstance(number, bool)
        valid = valid and math.isfinite(fields[name]) and 0 <= fields[name] <= LONGEST_MS
    if not valid:
        raise HTTPException(400, "This is not an answer.")
    return Answer(**fields)


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


async def _refused(request: Request, error: RefusedError) -> Response:
    return JSONResponse({"error": str(error)}, error.status)


async def _unavailable(request: Request, error: SQLAlchemyError) -> Response:
    """The script of the page tries again a little later."""
    return JSONResponse({"error": "the database cannot be reached"}, 503)
