"""The server's paths."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

import mmoe.server
from mmoe.errors import LinkingError
from mmoe.linker import Linker, LinkResult, Query
from mmoe.linker.examples import KINDS, read_examples
from mmoe.linker.finding import queries_in
from mmoe.linker.thumbnails import Thumbnails
from mmoe.server.batching import Batcher, FullError, StoppedError
from mmoe.server.limits import Limits
from mmoe.server.metrics import Measured, Metrics
from mmoe.server.reading import FORM, JSON, check_length, image_of, query_of, read_request, said_of
from mmoe.server.schemas import (
    BatchOut,
    BatchRequest,
    EntityOut,
    LinkRequest,
    Problem,
    ResultOut,
    TextOut,
    TextRequest,
)
from mmoe.server.settings import ServerSettings

Responses = dict[int | str, dict[str, Any]]
PROBLEMS: Responses = {
    code: {"model": Problem, "description": said}
    for code, said in {
        400: "The body can't be read.",
        401: "The key is missing or wrong.",
        413: "The body or a text is too large.",
        415: "Neither JSON nor a form.",
        422: "A value is not legal, or the image can't be read.",
        429: "Too much waits; Retry-After says for how long.",
        503: "It took too long, or the server stops.",
    }.items()
}
LOOK_EVERY = 0.25  # seconds, whether the client still waits
# No script or style but the page's own, each named by its hash.
POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src {style}; script-src {script}; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(linker: Linker, settings: ServerSettings) -> FastAPI:
    """The application around a Linker."""
    return _Service(linker, settings).app


class _Service:
    def __init__(self, linker: Linker, settings: ServerSettings) -> None:
        self.linker, self.settings, self.metrics = linker, settings, Metrics()
        kb = linker.engine.kb
        self._aliases = kb.files.read_aliases()
        self._pictures = None if kb.files.thumbnails is None else Thumbnails(kb.files.thumbnails)
        self._page = files(mmoe.server).joinpath("page.html").read_text("utf-8")
        self._policy = POLICY.format(
            **{element: _hash_of(element, self._page) for element in ("style", "script")}
        )
        self._examples = (
            [] if linker.bundle is None else read_examples(linker.bundle[0], linker.bundle[1].files)
        )
        self.batcher: Batcher | None = None
        self.metrics.entities.set(len(linker.entities))
        self.app = FastAPI(
            title="mmoe",
            description="Links mentions, given as text and image, to the entities of a knowledge base.",
            version="1",
            lifespan=self._lifespan,
            docs_url=None,  # its scripts come from elsewhere
            redoc_url=None,
            redirect_slashes=False,
        )
        self.app.add_middleware(
            Limits,
            api_key=settings.api_key,
            hosts=settings.hosts,
            max_body=settings.max_body,
            timeout=settings.timeout,
        )
        self.app.add_middleware(Measured, metrics=self.metrics)
        self.app.exception_handler(HTTPException)(_problem)
        self.app.exception_handler(RequestValidationError)(_not_valid)
        self._add_paths()

    def _add_paths(self) -> None:
        post, get = self.app.post, self.app.get
        post(
            "/link", response_model=ResultOut, responses=PROBLEMS, openapi_extra=_body(LinkRequest)
        )(self.link)
        post(
            "/link-text",
            response_model=TextOut,
            responses=PROBLEMS,
            openapi_extra=_body(TextRequest),
        )(self.link_text)
        post(
            "/batch",
            response_model=BatchOut,
            responses=PROBLEMS,
            openapi_extra=_body(BatchRequest, form=False),
        )(self.batch)
        lost: Responses = {
            404: {"model": Problem, "description": "No such entity."},
            401: PROBLEMS[401],
        }
        get("/entities/{qid}", response_model=EntityOut, responses=lost)(self.entity)
        get(
            "/entities/{qid}/thumbnail",
            response_class=Response,
            responses={200: {"content": {"image/jpeg": {}}}, **lost},
        )(self.thumbnail)
        get("/examples", responses={401: PROBLEMS[401]})(self.examples)
        get(
            "/examples/{number}/image",
            response_class=Response,
            responses={200: {"content": {"image/*": {}}}, **lost},
        )(self.example_image)
        get("/health", responses={200: {"description": "The process lives."}})(self.health)
        get("/ready", responses={503: PROBLEMS[503]})(self.ready)
        get("/metrics", response_class=Response, responses={401: PROBLEMS[401]})(self.prometheus)
        get("/", response_class=HTMLResponse, include_in_schema=False)(self.page)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        limits = self.settings.max_batch, self.settings.max_waiting
        self.batcher = Batcher(self.linker, *limits, self.metrics.batches.observe)
        await self.batcher.start()
        await asyncio.to_thread(lambda: self.linker.engine.kb.finder)
        yield
        await self.batcher.stop()

    async def link(self, request: Request) -> JSONResponse:
        """Link one mention."""
        asked, file = await read_request(request, LinkRequest, self.settings.max_mentions)
        query = await query_of(asked, file, self.settings)
        (result,) = await self._linked(request, [query], asked.top_k, explain=asked.explain)
        return JSONResponse(self._result(result))

    async def link_text(self, request: Request) -> JSONResponse:
        """Find the mentions of a text by the names of entities, and link each."""
        asked, file = await read_request(request, TextRequest, self.settings.max_mentions)
        check_length("text", asked.text, self.settings)
        if not asked.text.strip():
            raise HTTPException(422, "text: is empty; send the text that holds the mentions")
        image = await image_of(asked.image, file, self.settings)
        loop, text = asyncio.get_running_loop(), asked.text
        spans = await loop.run_in_executor(None, self.linker.engine.kb.finder, text)
        if len(spans) > self.settings.max_mentions:
            raise HTTPException(
                413,
                f"the text holds {len(spans)} names, more than {self.settings.max_mentions}; send a part",
            )
        queries = queries_in(text, spans, image)
        results = await self._linked(request, queries, asked.top_k) if queries else []
        found = [
            {"start": start, "end": end} | self._result(result)
            for (start, end), result in zip(spans, results, strict=True)
        ]
        return JSONResponse({"mentions": found})

    async def batch(self, request: Request) -> JSONResponse:
        """Link several mentions."""
        asked, file = await read_request(request, BatchRequest, self.settings.max_mentions)
        if file is not None:
            raise HTTPException(415, "send several mentions as JSON")
        queries = [await query_of(mention, None, self.settings) for mention in asked.mentions]
        results = await self._linked(request, queries, asked.top_k)
        return JSONResponse({"results": [self._result(result) for result in results]})

    def entity(self, qid: Annotated[str, Path(max_length=200)]) -> JSONResponse:
        """What is known of an entity."""
        kb = self.linker.engine.kb
        if (position := kb.position.get(qid)) is None:
            raise HTTPException(404, "no such entity; look for its id in an answer of /link")
        entity, picture = kb.entities[position], None
        if self._pictures is not None:
            picture = self._pictures.of(qid)
        rights = None if picture is None else (picture.author, picture.licence, picture.licence_url)
        names = ("author", "licence", "licence_url")
        return JSONResponse(
            {
                "qid": qid,
                "name": entity.name,
                "description": entity.attributes,
                "aliases": list(self._aliases.get(qid, ())),
                "has_thumbnail": picture is not None,
                **dict(zip(names, rights or (None, None, None), strict=True)),
            }
        )

    def thumbnail(self, qid: Annotated[str, Path(max_length=200)]) -> Response:
        """An entity's picture, of at most 256 pixels a side."""
        picture = self._pictures.of(qid) if self._pictures is not None else None
        if picture is None or qid not in self.linker.engine.kb.position:
            raise HTTPException(404, "no picture of such an entity")
        return Response(
            picture.jpeg, media_type="image/jpeg", headers={"cache-control": "max-age=3600"}
        )

    async def examples(self) -> dict[str, Any]:
        """Mentions to try."""
        return {"examples": [each.to_json() for each in self._examples]}

    def example_image(self, number: Annotated[int, Path(ge=0)]) -> FileResponse:
        """The image of an example."""
        if number >= len(self._examples) or (path := self._examples[number].image) is None:
            raise HTTPException(404, "no image of such an example")
        return FileResponse(path, media_type=KINDS[path.suffix.lower()])

    async def health(self) -> dict[str, str]:
        """Whether the process lives."""
        return {"status": "ok"}

    async def ready(self) -> dict[str, str]:
        """Whether mentions are linked."""
        if self.batcher is None or not self.batcher.is_alive:
            raise HTTPException(503, "nothing is linked here now; restart the server")
        return {"status": "ready"}

    async def prometheus(self) -> Response:
        """Figures for Prometheus."""
        assert self.batcher is not None
        self.metrics.waiting.set(self.batcher.waiting)
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def page(self) -> HTMLResponse:
        """The page."""
        return HTMLResponse(self._page, headers={"content-security-policy": self._policy})

    async def _linked(
        self, request: Request, queries: list[Query], top_k: int, *, explain: bool = False
    ) -> list[LinkResult]:
        assert self.batcher is not None
        reranker = self.linker.engine.reranker
        deepest = len(self.linker.entities) if reranker is None else reranker.depth
        try:
            found = self.batcher.link(queries, min(top_k, deepest), explain=explain)
            return await _while_connected(request, found)
        except FullError as error:
            after = {"retry-after": str(error.retry_after)}
            raise HTTPException(
                429, "too many mentions are waiting; try again later", after
            ) from None
        except LinkingError as error:
            raise HTTPException(422, str(error)) from None
        except StoppedError:
            raise HTTPException(503, "the server stops; try again later") from None

    def _result(self, result: LinkResult) -> dict[str, Any]:
        found = result.to_json()
        for link in found["links"]:
            link["has_thumbnail"] = self._pictures is not None and link["qid"] in self._pictures
        return found


def _hash_of(element: str, page: str) -> str:
    """The hash of the page's one inline element of this name, as a policy states it."""
    [content] = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": said_of(error.errors())}, 422)


async def _while_connected(
    request: Request, work: Coroutine[Any, Any, list[LinkResult]]
) -> list[LinkResult]:
    """The work's result; it is cancelled if nobody waits for it any more."""
    task = asyncio.create_task(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=LOOK_EVERY)
            if done:
                return task.result()
            if await request.is_disconnected():
                raise HTTPException(499, "the client has gone")
    finally:
        task.cancel()


def _body(model: type[Any], *, form: bool = True) -> dict[str, Any]:
    """The request's body in OpenAPI: JSON, and a form whose image is a file."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    for part in parts.values():
        part.pop("$defs", None)
    schema = _inlined(schema, parts)
    content: dict[str, Any] = {JSON: {"schema": schema}}
    if form:
        fields = dict(schema["properties"])
        if "image" in fields:
            fields["image"] = {"type": "string", "format": "binary"}
        for name, field in fields.items():
            options = [each for each in field.get("anyOf", ()) if each.get("type") != "null"]
            if options:
                fields[name] = {**options[0], "description": field.get("description", "")}
        content[FORM] = {"schema": schema | {"properties": fields, "examples": []}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
        return {key: _inlined(value, parts) for key, value in schema.items()}
    return [_inlined(each, parts) for each in schema] if isinstance(schema, list) else schema
