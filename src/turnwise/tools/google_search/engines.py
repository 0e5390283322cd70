"""Which search engines there are, by what the settings call them. Each is imported when the settings choose it."""

from pathlib import Path

from turnwise.tools.google_search.engine import Engine


def build_engine(name: str, *, url: str | None, key: str | None, index: Path, seconds: float) -> Engine:
    """The engine of this name. Nothing of it is started.

    `index`: where the documents of `folder` are kept. `seconds`: how long a search may take.

    Raises:
        ValueError: it cannot be as it is set; the message says which setting, and what to do.
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise ValueError(f"url: '{url}' is no address; it begins with http:// or https://")
    match name:
        case "ddgs":
            from turnwise.tools.google_search.public import PublicEngine

            return PublicEngine(seconds)
        case "folder":
            from turnwise.tools.google_search.folder import FolderEngine

            return FolderEngine(index)
        case "searxng":
            if url is None:
                raise ValueError("url: the engine 'searxng' needs the address of a SearXNG server")
            from turnwise.tools.google_search.searxng import SearxngEngine

            return SearxngEngine(url)
        case "brave":
            from turnwise.tools.google_search.brave import URL, BraveEngine

            return BraveEngine(_needed(key, name), url or URL)
        case "tavily":
            from turnwise.tools.google_search.tavily import URL, TavilyEngine

            return TavilyEngine(_needed(key, name), url or URL)
        case _:
            raise ValueError(f"engine: there is no '{name}'; one of ddgs, searxng, brave, tavily, folder")


def _needed(key: str | None, name: str) -> str:
    if key is None or not key.strip():
        raise ValueError(f"api_key_env: the engine '{name}' needs a key, in the variable that this setting names")
    return key.strip()
