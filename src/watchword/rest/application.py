"""The web framework's application: every path, and what leads to none, is led to the pipeline."""

from __future__ import annotations

from typing import Any, TypeAlias

import falcon.asgi

from watchword.errors import NotServed, UnknownPath
from watchword.rest.pipeline import Pipeline
from watchword.rest.routes import Path

Http: TypeAlias = falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]


def http_application(pipeline: Pipeline, all_paths: list[Path]) -> Http:
    http: Http = falcon.asgi.App()
    http.req_options.strip_url_path_trailing_slash = True
    for path in all_paths:
        http.add_route(path.template, _responders(pipeline, path))
    http.add_sink(_unknown_path(pipeline), "/")
    http.add_error_handler(falcon.HTTPBadRequest, _unknown_method(pipeline))
    http.add_error_handler(Exception, _failure(pipeline))
    return http


def _unknown_path(pipeline: Pipeline) -> Any:
    async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, **_: Any) -> None:
        await pipeline.refuse(request, response, UnknownPath(request.path))

    return respond


def _unknown_method(pipeline: Pipeline) -> Any:
    """For methods that Falcon itself refuses, in a shape of its own."""

    async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, *_: Any) -> None:
        await pipeline.refuse(request, response, NotServed(request.method, "No operation has this method."))

    return respond


def _failure(pipeline: Pipeline) -> Any:
    async def respond(
        request: falcon.asgi.Request, response: falcon.asgi.Response, failure: Exception, *_: Any
    ) -> None:
        del request
        await pipeline.fail(response, failure)

    return respond


def _responders(pipeline: Pipeline, path: Path) -> Any:
    """Falcon looks for a method of each name on an object; every one of ours is the pipeline."""

    async def respond(request: falcon.asgi.Request, response: falcon.asgi.Response, **parts: str) -> None:
        await pipeline.answer(path, request, response, parts)

    names = {f"on_{method.lower()}": staticmethod(respond) for method in falcon.COMBINED_METHODS}
    return type("Responders", (), names)()
