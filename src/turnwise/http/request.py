"""A request as the handlers get it: Starlette's, that looks for a header once and not by going through all of them."""

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

_NO_QUERY = QueryParams()


class IncomingHeaders(Headers):
    """Headers, found by their names. The first of several that have one name is the one that counts."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._values = dict(reversed(raw))

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        value = self._values.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")


class Incoming(Request):
    """A request that came in."""

    @property
    def headers(self) -> Headers:
        if not hasattr(self, "_headers"):
            self._headers = IncomingHeaders(list(self.scope["headers"]))
        return self._headers

    @property
    def query_params(self) -> QueryParams:
        return super().query_params if self.scope["query_string"] else _NO_QUERY
