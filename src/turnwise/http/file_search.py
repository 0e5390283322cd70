"""The calls on file search stores, their documents, and the operations that read them."""

from collections.abc import AsyncIterator
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from turnwise.domain.content import JSON
from turnwise.domain.errors import InvalidRequest, NotFound, Unimplemented
from turnwise.domain.file_search import STORE_PREFIX, Document
from turnwise.domain.files import File, NewFile
from turnwise.engine.file_search import FileSearch
from turnwise.engine.files import file_id
from turnwise.engine.uploads import Progress
from turnwise.http.body import JSONReply, check_query, query_size, read_bytes
from turnwise.http.contracts import Services
from turnwise.http.uploads import MAX_ABOUT, Owner, UploadRoute
from turnwise.wire.file_search import (
    parse_import,
    parse_new_store,
    parse_store_upload,
    render_document,
    render_operation,
    render_store,
)

PAGE_SIZE = 10
MAX_PAGE_SIZE = 100


class DocumentTarget:
    """Uploads that are to be documents of a file search store. See `Target` in `uploads.py`."""

    def __init__(self, file_search: FileSearch, store_id: str) -> None:
        self._file_search = file_search
        self._store_id = store_id
        self.path = f"{STORE_PREFIX}{store_id}:uploadToFileSearchStore"

    def parse(self, raw: bytes) -> NewFile:
        return parse_store_upload(raw, self._store_id)

    async def begin(self, owner: str, wanted: NewFile) -> str:
        return await self._file_search.begin(owner, wanted)

    async def write(self, secret: str, offset: int, pieces: AsyncIterator[bytes]) -> Progress:
        return await self._file_search.write(secret, self._store_id, offset, pieces)

    async def query(self, secret: str) -> Progress:
        return await self._file_search.query(secret, self._store_id)

    async def finalize(self, secret: str) -> File | Document:
        return await self._file_search.finalize(secret, self._store_id)

    async def cancel(self, secret: str) -> None:
        await self._file_search.cancel(secret, self._store_id)

    def render(self, made: File | Document, base_url: str) -> dict[str, JSON]:
        assert isinstance(made, Document)
        return render_operation(made, "upload/operations")


class FileSearchRoutes:
    """The handlers of `/fileSearchStores` and `/upload/.../fileSearchStores`."""

    def __init__(self, services: Services, owner: Owner) -> None:
        self._file_search = services.file_search
        self._public_url = services.public_url
        self._owner = owner

    # -- stores

    async def create(self, request: Request) -> Response:
        """`POST /fileSearchStores`"""
        owner = await self._owner(request)
        check_query(request)
        display_name, embedding_model = parse_new_store(await read_bytes(request, MAX_ABOUT))
        store = await self._file_search.create(owner, display_name=display_name, embedding_model=embedding_model)
        return JSONReply(render_store(store))

    async def list(self, request: Request) -> Response:
        """`GET /fileSearchStores`"""
        owner = await self._owner(request)
        found, token = await self._file_search.list(owner, *_page(request))
        return _page_reply("fileSearchStores", [render_store(store) for store in found], token)

    async def get(self, request: Request) -> Response:
        """`GET /fileSearchStores/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        return JSONReply(render_store(await self._file_search.get(request.path_params["id"], owner)))

    async def delete(self, request: Request) -> Response:
        """`DELETE /fileSearchStores/{id}`"""
        owner = await self._owner(request)
        force = await _forced(request)
        await self._file_search.delete(request.path_params["id"], owner, force=force)
        return JSONReply({})

    # -- files that come

    async def upload(self, request: Request) -> Response:
        """`POST /upload/.../fileSearchStores/{id}:uploadToFileSearchStore`"""
        target = DocumentTarget(self._file_search, request.path_params["id"])
        return await UploadRoute(target, self._owner, self._public_url).upload(request)

    async def import_file(self, request: Request) -> Response:
        """`POST /fileSearchStores/{id}:importFile`"""
        owner = await self._owner(request)
        check_query(request)
        name, wanted = parse_import(await read_bytes(request, MAX_ABOUT), request.path_params["id"])
        id = file_id(name)
        if id is None:
            raise InvalidRequest(f"'files/' and a file's id, not '{name[:80]}'", field="fileName")
        return JSONReply(render_operation(await self._file_search.import_file(id, owner, wanted), "operations"))

    async def import_operation(self, request: Request) -> Response:
        """`GET /fileSearchStores/{store}/operations/{id}`"""
        return await self._operation(request, "operations")

    async def upload_operation(self, request: Request) -> Response:
        """`GET /fileSearchStores/{store}/upload/operations/{id}`"""
        return await self._operation(request, "upload/operations")

    async def _operation(self, request: Request, kind: Literal["operations", "upload/operations"]) -> Response:
        owner = await self._owner(request)
        check_query(request)
        store_id, id = request.path_params["store"], request.path_params["id"]
        try:
            document = await self._file_search.document(id, store_id, owner)
        except NotFound:
            raise NotFound(
                f"there is no operation '{STORE_PREFIX}{store_id}/{kind}/{id}'; it was never begun by you, or its "
                "document is deleted"
            ) from None
        return JSONReply(render_operation(document, kind))

    # -- documents

    async def list_documents(self, request: Request) -> Response:
        """`GET /fileSearchStores/{store}/documents`"""
        owner = await self._owner(request)
        found, token = await self._file_search.documents(request.path_params["store"], owner, *_page(request))
        return _page_reply("documents", [render_document(document) for document in found], token)

    async def get_document(self, request: Request) -> Response:
        """`GET /fileSearchStores/{store}/documents/{id}`"""
        owner = await self._owner(request)
        check_query(request)
        found = await self._file_search.document(request.path_params["id"], request.path_params["store"], owner)
        return JSONReply(render_document(found))

    async def delete_document(self, request: Request) -> Response:
        """`DELETE /fileSearchStores/{store}/documents/{id}`"""
        owner = await self._owner(request)
        force = await _forced(request)
        store_id = request.path_params["store"]
        await self._file_search.delete_document(request.path_params["id"], store_id, owner, force=force)
        return JSONReply({})

    async def download_media(self, request: Request) -> Response:
        """`GET /fileSearchStores/{store}/media/{id}`"""
        await self._owner(request)
        check_query(request, forms=("media",))
        raise Unimplemented(
            "turnwise does not have 'fileSearchStores.media': a document is searched by its words, and no citation of "
            "it names a picture"
        )


def _page(request: Request) -> tuple[int, str | None]:
    """How many things a page is to have, and where it begins."""
    check_query(request, ("pageSize", "pageToken"))
    size = query_size(request, default=PAGE_SIZE, most=MAX_PAGE_SIZE)
    return size, request.query_params.get("pageToken") or None


def _page_reply(name: str, found: list[dict[str, JSON]], token: str | None) -> Response:
    body: dict[str, JSON] = {name: found} if found else {}
    return JSONReply(body if token is None else {**body, "nextPageToken": token})


async def _forced(request: Request) -> bool:
    """Whether a deletion is forced. The SDKs of Python write `True`, and those of JavaScript send `{}` along."""
    check_query(request, ("force",))
    if (await read_bytes(request, MAX_ABOUT)).strip() not in (b"", b"{}"):
        raise InvalidRequest("a deletion has no body; say `force` in the query")
    value = request.query_params.get("force", "")
    if value.lower() not in ("", "false", "true"):
        raise InvalidRequest(f"true or false, not '{value}'", field="force")
    return value.lower() == "true"
