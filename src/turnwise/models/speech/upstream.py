"""An upstream that speaks: a request to it, over the connections of chat completions (`models/openai.py`).

What goes wrong means the same as there. Only the answer is another: sound of many types, read as it comes.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress

import aiohttp
import orjson

from turnwise.domain.errors import InvalidRequest, TurnwiseError
from turnwise.models.completions import parse_error_body
from turnwise.models.openai import BROKEN, ERROR_BODY, Upstream

log = logging.getLogger(__name__)


@asynccontextmanager
async def asked(
    upstream: Upstream, path: str, body: Mapping[str, object], model: str
) -> AsyncGenerator[aiohttp.ClientResponse, None]:
    """The answer to a request: its head is there, and is none of a refusal. What breaks while its body is read within
    the context is told as the upstream's failure.

    Raises:
        TurnwiseError: the request was refused, or the upstream cannot be reached, or broke off.
    """
    try:
        response = await upstream.post(orjson.dumps(body), path)
    except BROKEN as error:
        raise upstream.meaning(error, model) from error
    try:
        if response.status != 200:
            raise await _refused(upstream, response, model)
        yield response
    except BROKEN as error:
        raise upstream.meaning(error, model) from error
    finally:
        response.close()  # does nothing once the whole answer was read and its connection went back


async def _refused(upstream: Upstream, response: aiohttp.ClientResponse, model: str) -> TurnwiseError:
    """What a refusal means. Who raises it must not have it by a name, or it would hold itself by its frames."""
    body = b""
    with suppress(*BROKEN):  # the status alone says enough
        while len(body) < ERROR_BODY and (data := await response.content.readany()):
            body += data
    error = parse_error_body(body, response.status, response.headers.get("Retry-After"), model)
    level = logging.DEBUG if isinstance(error, InvalidRequest) else logging.WARNING
    log.log(level, "%s answered %d: %.200r", upstream.place, response.status, body)
    return error
