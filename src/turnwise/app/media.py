"""What reads files and reaches addresses, by the settings."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from turnwise.media.cache import Cache
from turnwise.media.fetch import GuardedFetcher
from turnwise.media.guard import Guard
from turnwise.media.process import Bounds, Processes
from turnwise.media.readers import Readers
from turnwise.media.robots import Robots
from turnwise.media.visits import Visits
from turnwise.models.sources import is_there, parse_speech, place
from turnwise.settings import Settings, SettingsError

ROBOTS_SECONDS = 10.0
"""How long fetching the rules of a site may take at the most."""


def build_readers(settings: Settings) -> Readers:
    """Who reads files that models cannot take. No process of it is started.

    Raises:
        SettingsError: the weights that write down speech cannot be.
    """
    media = settings.media
    try:
        speech = parse_speech(media.speech)
    except ValueError as error:
        raise SettingsError(f"media.speech: {error}") from error
    return Readers(
        Processes(Bounds(seconds=media.seconds, memory_mib=media.memory_mib)),
        max_bytes=media.max_bytes,
        seconds=media.seconds,
        ocr=media.ocr,
        speech=media.speech,
        find_speech_weights=lambda: (
            place(speech, settings.weights_dir) if is_there(speech, settings.weights_dir) else None
        ),
    )


def build_guard(settings: Settings) -> Guard:
    """What requests may reach.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    try:
        return Guard(settings.network.allow)
    except ValueError as error:
        raise SettingsError(f"network.allow: {error}") from error


def build_visits(settings: Settings, readers: Readers, cache: Cache, scratch: Path) -> Visits:
    """Who reads what stands at addresses, and keeps to what their sites ask.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    network, admit = settings.network, None
    if settings.tools.url_context.robots:
        rules = GuardedFetcher(
            build_guard(settings), max_bytes=network.max_bytes, seconds=min(ROBOTS_SECONDS, network.seconds)
        )
        admit = Robots(rules, scratch=scratch).admit
    return Visits(build_fetcher(settings, cache, admit), readers, scratch=scratch)


def build_fetcher(
    settings: Settings, cache: Cache, admit: Callable[[str], Awaitable[None]] | None = None
) -> GuardedFetcher:
    """Who fetches from addresses that requests name.

    Raises:
        SettingsError: an address that is allowed is none.
    """
    network = settings.network
    return GuardedFetcher(
        build_guard(settings), max_bytes=network.max_bytes, seconds=network.seconds, cache=cache, admit=admit
    )
