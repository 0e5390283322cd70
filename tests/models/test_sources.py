"""Weights from a model hub, a URL or a file: where they are kept, and what becomes of a fetch that goes wrong."""

import asyncio
import hashlib
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.hub import Hub, open_hub
from models.prompts import BOUND
from support import until
from turnwise.domain.errors import ModelUnavailable
from turnwise.models import download
from turnwise.models.hub import HubFile, parse_hub
from turnwise.models.sources import (
    SPEECH,
    LocalFile,
    Remote,
    fetch,
    is_there,
    parse_projector,
    parse_source,
    parse_speech,
    place,
)
from turnwise.models.weights import BUILTIN

CONTENT = b"GGUF" + os.urandom(300_000)
OTHER = b"GGUF" + os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TINY = "hf:owner/tiny/tiny.gguf"


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """A hub with one small file, the only one that there is for us."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(download, "PAUSE", 0.0)
    async with open_hub({"main/tiny.gguf": CONTENT, "main/sub/big one.gguf": OTHER}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


async def get(text: str, models_dir: Path, sha256: str | None = None) -> Path:
    async with asyncio.timeout(BOUND):
        return await fetch(parse_source(text, sha256), models_dir)


async def refusal(text: str, models_dir: Path, sha256: str | None = None) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        await get(text, models_dir, sha256)
    return caught.value.message


def leftovers(path: Path) -> list[str]:
    """What lies beside a file, but for its note and its lock."""
    usual = {path.name, f".{path.name}.checked", f".{path.name}.lock"}
    return sorted(other.name for other in path.parent.iterdir() if other.name not in usual)


# -- what a source can be


@pytest.mark.parametrize(
    ("text", "place"),
    {
        "hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf": "hf/Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
        "hf:o/r/sub/f.gguf@v1.0": "hf/o/r@v1.0/sub/f.gguf",
        "hf:o/r/f.gguf@refs/pr/1": "hf/o/r@refs_pr_1/f.gguf",
        "https://example.com/models/a%20b.gguf": "example.com/models/a_b.gguf",
        "http://[::1]:8080/f.gguf": "__1_8080/f.gguf",
        "https://example.com/../../f.gguf": "example.com/_/_/f.gguf",
    }.items(),
)
def test_a_file_is_kept_under_a_name_that_says_where_it_came_from(text: str, place: str) -> None:
    source = parse_source(text)
    assert isinstance(source, Remote)
    assert source.place == place


def test_urls_that_differ_by_their_query_are_kept_apart() -> None:
    one, other = (parse_source(f"https://example.com/f.gguf?v={number}") for number in (1, 2))
    assert isinstance(one, Remote)
    assert isinstance(other, Remote)
    assert one.place != other.place
    assert re.fullmatch(r"example\.com/f-[0-9a-f]{8}\.gguf", one.place)


def test_the_hub_is_the_public_one_unless_its_own_variable_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert parse_hub("hf:o/r/sub/f.gguf@refs/pr/1") == HubFile("o/r", "sub/f.gguf", "refs/pr/1")
    assert parse_hub("hf:o/r/f.gguf").url == "https://huggingface.co/o/r/resolve/main/f.gguf"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hub/")
    assert parse_hub("hf:o/r/f.gguf@refs/pr/1").url == "https://mirror.example/hub/o/r/resolve/refs%2Fpr%2F1/f.gguf"


WRONG = {
    "a word": ("somewhere", "it can be"),
    "another kind of file": ("/models/f.safetensors", "it can be"),
    "a file that is not there": ("/nowhere/f.gguf", "there is no file"),
    "a repository": ("hf:owner/tiny", "hf:OWNER/REPO/FILE.gguf"),
    "a file of another kind in a repository": ("hf:o/r/f.safetensors", "hf:OWNER/REPO/FILE.gguf"),
    "a way out": ("hf:o/r/../../f.gguf", "hf:OWNER/REPO/FILE.gguf"),
    "a URL of a page": ("https://example.com/", "must be that of a .gguf file"),
    "a URL with a password": ("https://me:sesame@example.com/f.gguf", "password"),
    "a piece": ("hf:o/r/f-00002-of-00003.gguf", "piece 2 of 3"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_what_is_no_source_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_source(text)
    assert "sesame" not in str(caught.value)


def test_the_default_model_has_a_hash_already() -> None:
    assert parse_source("builtin") is BUILTIN
    with pytest.raises(ValueError, match="sha256"):
        parse_source("builtin", SHA256)


async def test_a_file_of_ones_own_stays_where_it_is_and_is_checked_if_asked_to(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(CONTENT)
    assert parse_source(str(file)) == LocalFile(file)
    assert await get(str(file), tmp_path / "models", SHA256) == file
    assert "has the sha256" in await refusal(str(file), tmp_path / "models", "0" * 64)
    assert file.exists()
    assert not (tmp_path / "models").exists()


def test_eyes_come_from_where_weights_come_from_and_there_are_no_built_in_ones(tmp_path: Path) -> None:
    file = tmp_path / "mmproj.gguf"
    file.write_bytes(CONTENT)
    assert parse_projector(str(file)) == LocalFile(file)
    assert parse_projector(TINY) == parse_source(TINY)
    for text, words in [("builtin", "no built-in one"), ("somewhere", "it can be"), ("/nowhere/f.gguf", "no file")]:
        with pytest.raises(ValueError, match=f"^mmproj: .*{words}"):
            parse_projector(text)


# -- fetching


async def test_a_file_of_the_hub_is_fetched_once(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = parse_source(TINY)
    assert not is_there(source, tmp_path)
    path = await get(TINY, tmp_path)
    assert path == place(source, tmp_path) == tmp_path / "hf/owner/tiny/tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert is_there(source, tmp_path)
    assert leftovers(path) == []
    told = capsys.readouterr().err
    assert "fetching tiny.gguf (0 MB, once)" in told
    assert "is fetched and checked" in told
    asked = len(hub.asked)
    assert await get(TINY, tmp_path) == await get(TINY, tmp_path, SHA256) == path
    assert len(hub.asked) == asked


async def test_a_path_in_a_repository_may_have_anything_in_it(hub: Hub, tmp_path: Path) -> None:
    assert (await get("hf:owner/tiny/sub/big one.gguf", tmp_path)).read_bytes() == OTHER


async def test_a_revision_is_another_file(hub: Hub, tmp_path: Path) -> None:
    hub.files["v2/tiny.gguf"] = OTHER
    assert (await get(f"{TINY}@v2", tmp_path)).read_bytes() == OTHER
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT


async def test_a_url_is_fetched_once(hub: Hub, tmp_path: Path) -> None:
    for _ in range(2):
        assert (await get(hub.plain("tiny.gguf"), tmp_path)).read_bytes() == CONTENT
    assert len(hub.asked) == 1


async def test_the_token_is_told_to_the_hub_and_to_nobody_that_it_redirects_to(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated = True
    monkeypatch.setenv("HF_TOKEN", hub.token)
    await get(TINY, tmp_path)
    await get(hub.plain("tiny.gguf"), tmp_path)
    assert [request.headers.get("Authorization") for request in hub.asked] == [f"Bearer {hub.token}", None, None]


async def test_a_hub_that_does_not_redirect_gives_the_hash_as_its_etag(hub: Hub, tmp_path: Path) -> None:
    hub.redirects = False
    assert "has the sha256" in await refusal(TINY, tmp_path, "0" * 64)
    assert (await get(TINY, tmp_path, SHA256)).read_bytes() == CONTENT


async def test_two_processes_fetch_once(hub: Hub, tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from turnwise.models.sources import fetch, parse_source;"
        f"asyncio.run(fetch(parse_source({TINY!r}), pathlib.Path(sys.argv[1])))"
    )
    both = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path)) for _ in range(2)]
    async with asyncio.timeout(BOUND):
        assert [await process.wait() for process in both] == [0, 0]
    assert len(hub.ranges_asked) == 1


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
async def test_on_a_terminal_there_is_a_bar(hub: Hub, tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from turnwise.models.sources import fetch, parse_source;"
        f"asyncio.run(fetch(parse_source({TINY!r}), pathlib.Path(sys.argv[1])))"
    )
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    )
    os.close(theirs)
    async with asyncio.timeout(BOUND):
        shown = await asyncio.to_thread(_read_all, ours)
        assert await process.wait() == 0
    os.close(ours)
    assert "0.3/0.3 MB" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def _read_all(descriptor: int) -> bytes:
    shown = b""
    try:
        while data := os.read(descriptor, 4096):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    return shown


# -- broken off


async def test_a_connection_that_breaks_is_gone_on_with(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.troubles = [100_000, "busy", "busy", 100_000]
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
    assert hub.ranges_asked == [None, *["bytes=100000-"] * 3, "bytes=200000-"]
    told = capsys.readouterr().err
    assert f"the download of {TINY} broke off at 0 MB (the connection was closed before the end): going on" in told
    assert "the server is busy (HTTP 503)" in told


@pytest.mark.parametrize("known_by", ["etag", "time"])
async def test_a_fetch_that_was_ended_is_gone_on_with_by_the_next_one(
    hub: Hub, tmp_path: Path, known_by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.tells = frozenset({known_by})
    await begin_and_leave(hub, tmp_path)
    path = await get(TINY, tmp_path)
    assert path.read_bytes() == CONTENT
    assert hub.ranges_asked == [None, "bytes=100000-"]
    assert "going on with tiny.gguf" in capsys.readouterr().err
    assert leftovers(path) == []


async def begin_and_leave(hub: Hub, models_dir: Path) -> None:
    """A fetch that is ended behind its first 100 kB."""
    hub.troubles = ["hangs"]
    fetching = asyncio.create_task(get(TINY, models_dir))
    part = models_dir / "hf/owner/tiny/.tiny.gguf.part"
    await until(lambda: part.exists() and part.stat().st_size == 100_000)
    fetching.cancel()
    await asyncio.wait([fetching])


async def test_what_came_whole_but_was_not_put_in_its_place_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    path = await get(TINY, tmp_path)
    part = path.with_name(".tiny.gguf.part")
    url = parse_hub(TINY).url
    part.with_name(".tiny.gguf.part.json").write_text(
        f'{{"url": "{url}", "size": {len(CONTENT)}, "sha256": "{SHA256}", "same": "x"}}'
    )
    path.rename(part)
    path.with_name(".tiny.gguf.checked").unlink()
    hub.asked.clear()
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
    assert hub.asked == []


async def test_a_server_that_breaks_off_again_and_again_is_given_up_and_what_came_is_kept(
    hub: Hub, tmp_path: Path
) -> None:
    hub.troubles = [100_000, 0, 0, 0]
    message = await refusal(TINY, tmp_path)
    assert "broke off: the connection was closed before the end. 0 MB are kept; the next one goes on there" in message
    assert str(tmp_path / "hf/owner/tiny/tiny.gguf") in message
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
    assert hub.ranges_asked == [None, *["bytes=100000-"] * 4]


@pytest.mark.parametrize("behaviour", ["changed", "changed behind one address", "no ranges", "no conditions"])
async def test_what_cannot_be_gone_on_with_is_fetched_anew_and_said_so(
    hub: Hub, tmp_path: Path, behaviour: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if behaviour != "changed":
        hub.tells = frozenset({"etag"})
    await begin_and_leave(hub, tmp_path)
    hub.ranges, hub.conditions = behaviour != "no ranges", behaviour != "no conditions"
    if behaviour != "no ranges":
        hub.files["main/tiny.gguf"] = OTHER
    assert (await get(TINY, tmp_path)).read_bytes() == hub.files["main/tiny.gguf"]
    assert "throwing away what there is of it" in capsys.readouterr().err


async def test_what_nobody_can_know_to_be_the_same_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    hub.tells = frozenset()
    await begin_and_leave(hub, tmp_path)
    assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
    assert hub.ranges_asked == [None, None]


async def test_a_file_that_has_become_shorter_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    hub.tells, hub.conditions = frozenset({"etag"}), False
    await begin_and_leave(hub, tmp_path)
    hub.files["main/tiny.gguf"] = OTHER[:50_000]
    assert (await get(TINY, tmp_path)).read_bytes() == OTHER[:50_000]


# -- not what it should be


async def test_a_hash_that_is_set_is_kept_to(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = await refusal(hub.plain("tiny.gguf"), tmp_path, "0" * 64)
    assert f"has the sha256 {SHA256} instead of 000" in message
    assert "throwing it away" in capsys.readouterr().err
    assert leftovers(place(parse_source(hub.plain("tiny.gguf")), tmp_path)) == []


async def test_a_hash_that_the_hub_knows_to_be_wrong_is_refused_before_anything_is_fetched(
    hub: Hub, tmp_path: Path
) -> None:
    assert f"has the sha256 {SHA256} instead of 000" in await refusal(TINY, tmp_path, "0" * 64)
    assert not (tmp_path / "hf/owner/tiny/.tiny.gguf.part").exists()


async def test_what_came_but_is_not_what_the_hub_said_is_thrown_away(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "_give", giving(OTHER))
    assert f"instead of {SHA256}" in await refusal(TINY, tmp_path)
    assert not (tmp_path / "hf/owner/tiny/tiny.gguf").exists()
    assert leftovers(tmp_path / "hf/owner/tiny/tiny.gguf") == []


def giving(content: bytes):
    give = Hub._give
    return lambda hub, request, _: give(hub, request, content)


async def test_a_page_is_no_model(hub: Hub, tmp_path: Path) -> None:
    hub.files["main/tiny.gguf"] = b"<!doctype html><title>Log in</title>"
    assert "begins with b'<!doctype html>" in await refusal(hub.plain("tiny.gguf"), tmp_path)


async def test_a_kept_file_that_was_damaged_is_thrown_away_and_fetched_again(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await get(TINY, tmp_path)
    for damage in (CONTENT[:1000], b"GGUF" + bytes(300_000)):
        path.write_bytes(damage)
        os.utime(path, ns=(1, 1))
        assert (await get(TINY, tmp_path)).read_bytes() == CONTENT
        assert "throwing it away" in capsys.readouterr().err


async def test_a_kept_file_that_is_another_than_the_settings_want_is_left_for_a_person_to_decide(
    hub: Hub, tmp_path: Path
) -> None:
    path = await get(TINY, tmp_path)
    assert "remove it, or correct the setting" in await refusal(TINY, tmp_path, "0" * 64)
    assert path.read_bytes() == CONTENT


async def test_a_file_that_is_put_there_by_hand_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    path = tmp_path / "hf/owner/tiny/tiny.gguf"
    assert f"put the file there by hand: {path}" in await refusal(TINY, tmp_path)
    path.write_bytes(CONTENT)
    assert await get(TINY, tmp_path, SHA256) == path


# -- refused


async def test_a_file_that_is_not_in_the_repository_is_told_those_that_are(hub: Hub, tmp_path: Path) -> None:
    message = await refusal("hf:owner/tiny/Tiny.gguf", tmp_path)
    assert "owner/tiny has no file 'Tiny.gguf' at 'main'; it has: sub/big one.gguf, tiny.gguf" in message


async def test_a_revision_that_is_not_there_is_named(hub: Hub, tmp_path: Path) -> None:
    assert "owner/tiny has no revision 'v9'" in await refusal(f"{TINY}@v9", tmp_path)


async def test_a_repository_that_is_not_there_or_private_is_named(hub: Hub, tmp_path: Path) -> None:
    assert f"there is no model owner/none at {hub.url}, or it is private" in await refusal(
        "hf:owner/none/f.gguf", tmp_path
    )


async def test_a_gated_model_says_where_its_terms_are(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated = True
    message = await refusal(TINY, tmp_path)
    assert f"owner/tiny is gated: accept its terms at {hub.url}/owner/tiny, and set HF_TOKEN" in message
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    message = await refusal(TINY, tmp_path)
    assert "the account of HF_TOKEN may not read it yet" in message
    assert "hf_stranger" not in message


async def test_a_url_with_nothing_behind_it_is_named(hub: Hub, tmp_path: Path) -> None:
    url = hub.plain("none.gguf")
    assert f"{url} is refused by its server (HTTP 404)" in await refusal(url, tmp_path)


async def test_a_hub_that_cannot_be_reached_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    message = await refusal(TINY, tmp_path)
    assert f"{TINY} cannot be fetched: 127.0.0.1 cannot be reached" in message


async def test_a_file_that_does_not_fit_is_not_begun(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: full)
    assert "only 0 MB are free" in await refusal(TINY, tmp_path)


async def test_a_directory_that_cannot_be_written_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"a file")
    assert "cannot be kept at" in await refusal(TINY, tmp_path / "models")


# -- weights that write down speech


WHISPER = b"lmgg" + os.urandom(300_000)


@pytest.fixture
async def whispers(hub: Hub) -> Hub:
    """The hub, with the repository that the names of speech weights are of."""
    hub.repo = "ggerganov/whisper.cpp"
    hub.files = {"main/ggml-base.bin": WHISPER, "main/ggml-tiny.en.bin": b"GGUF" + WHISPER}
    return hub


@pytest.mark.parametrize("name", SPEECH)
def test_speech_weights_have_names_of_their_own(name: str) -> None:
    source = parse_speech(name)
    assert isinstance(source, Remote)
    assert source.place == f"hf/ggerganov/whisper.cpp/ggml-{name.removeprefix('whisper-')}.bin"


async def test_speech_weights_are_fetched_once_by_their_name(whispers: Hub, tmp_path: Path) -> None:
    source = parse_speech("whisper-base")
    assert not is_there(source, tmp_path)
    for _ in range(2):
        path = await fetch(source, tmp_path)
        assert path.read_bytes() == WHISPER
    assert len(whispers.ranges_asked) == 1
    assert is_there(source, tmp_path)
    assert path == place(source, tmp_path)


async def test_a_fetch_of_speech_weights_that_breaks_is_gone_on_with(whispers: Hub, tmp_path: Path) -> None:
    whispers.troubles = [100_000]
    path = await fetch(parse_speech("whisper-base"), tmp_path)
    assert path.read_bytes() == WHISPER
    assert whispers.ranges_asked == [None, "bytes=100000-"]


async def test_what_is_no_speech_model_is_not_kept_as_one(whispers: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"begins with b['\"]GGUF"):
        await fetch(parse_speech("whisper-tiny.en"), tmp_path)
    with pytest.raises(ModelUnavailable, match=r"has no file 'ggml-small\.bin' .* it has: ggml-base\.bin"):
        await fetch(parse_speech("whisper-small"), tmp_path)


def test_speech_weights_of_ones_own_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "ggml-own.bin"
    path.write_bytes(WHISPER)
    assert parse_speech(str(path)) == LocalFile(path)
    for text in ("hf:owner/repo/ggml-x.bin@v2", "https://example.com/ggml-x.bin?v=1"):
        assert isinstance(parse_speech(text), Remote)


@pytest.mark.parametrize(
    "text", ["whisper-huge", "builtin", "hf:owner/tiny/tiny.gguf", "https://example.com/x.gguf", "/x.bin"]
)
def test_what_is_no_source_of_speech_weights_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"whisper-base|FILE\.bin|a \.bin file|there is no file"):
        parse_speech(text)
