"""Weights from elsewhere, with the real command: `pull`, the first start, and what `doctor` and `models` say of it."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.hub import Hub, open_hub
from turnwise.models.weights import BUILTIN

from .client import open_client, text_of
from .home import Home
from .upstream import Upstream
from .waiting import BOUND, until

TINY = "hf:owner/tiny/tiny.gguf"
CONTENT = b"GGUF" + os.urandom(200_000)


@pytest.fixture
async def hub(home: Home) -> AsyncIterator[Hub]:
    """A hub, the only one that the commands know; with one small file that is no model."""
    for name in [name for name in home.environment if name.lower().endswith("_proxy")]:
        del home.environment[name]
    async with open_hub({"main/tiny.gguf": CONTENT}) as hub:
        home.environment["HF_ENDPOINT"] = hub.url
        yield hub


async def test_pull_fetches_a_model_of_the_settings_by_its_name(home: Home, hub: Hub):
    home.configure(f'[models.tiny]\nsource = "{TINY}"\n[models."*"]\n')
    done = await home.run("pull", "tiny")
    path = home.data / "models/hf/owner/tiny/tiny.gguf"
    assert (done.code, done.out) == (0, f"{path}\n"), done.err
    assert path.read_bytes() == CONTENT
    assert "fetching tiny.gguf" in done.err
    again = await home.run("pull", "tiny")
    assert (again.code, again.out, again.err) == (0, f"{path}\n", "")
    assert len(hub.ranges_asked) == 1


async def test_pull_fetches_a_source_that_is_in_no_settings(home: Home, hub: Hub):
    for source in (TINY, hub.plain("tiny.gguf")):
        done = await home.run("pull", source)
        assert done.code == 0, done.err
        assert content_of(done.out) == CONTENT


def content_of(out: str) -> bytes:
    """That of the file whose path was printed."""
    return Path(out.strip()).read_bytes()


async def test_pull_without_a_name_fetches_all_that_the_settings_need_each_once(home: Home, hub: Hub):
    hub.files["v2/tiny.gguf"] = CONTENT
    own = home.folder / "own.gguf"
    own.write_bytes(CONTENT)
    entries = {"a": TINY, "b": f"{TINY}@v2", "c": TINY, "d": str(own)}
    home.configure("".join(f'[models.{name}]\nsource = "{source}"\n' for name, source in entries.items()))
    done = await home.run("pull")
    assert done.code == 0, done.err
    fetched = [str(home.data / "models/hf/owner" / place) for place in ("tiny/tiny.gguf", "tiny@v2/tiny.gguf")]
    assert done.out.splitlines() == [*fetched, str(own)]
    assert len(hub.ranges_asked) == 2


async def test_pull_goes_on_where_the_last_one_was_ended(home: Home, hub: Hub):
    hub.troubles = ["hangs"]
    async with home.starting("pull", TINY) as pulling:
        part = home.data / "models/hf/owner/tiny/.tiny.gguf.part"

        async def has_begun() -> bool:
            return part.exists() and part.stat().st_size == 100_000

        await until(has_begun)
        await pulling.stop(signal.SIGKILL)
    done = await home.run("pull", TINY)
    assert done.code == 0, done.err
    assert "going on with tiny.gguf" in done.err
    assert hub.ranges_asked == [None, "bytes=100000-"]
    assert content_of(done.out) == CONTENT


async def test_pull_says_what_it_cannot_fetch(home: Home, hub: Hub, upstream: Upstream):
    assert (await home.run("pull")).code == 0, "an upstream has no weights"
    assert "answered by an upstream" in (await home.run("pull", "*")).error
    assert (await home.run("pull", "nothing")).error.startswith("there is no model 'nothing' in the settings; and ")
    assert "owner/tiny has no file 'x.gguf'" in (await home.run("pull", "hf:owner/tiny/x.gguf")).error
    home.configure(f'[models.tiny]\nsource = "{TINY}"\nsha256 = "{"0" * 64}"')
    assert "has the sha256" in (await home.run("pull", "tiny")).error
    assert (await home.run("serve")).error.startswith(f"{TINY} has the sha256 ")


async def test_doctor_says_what_is_not_fetched_yet(home: Home, hub: Hub):
    home.configure(f'[models.tiny]\nsource = "{TINY}"\n')
    done = await home.run("doctor")
    assert done.code == 1
    (lack,) = [line for line in done.out.splitlines() if line.startswith("LACK")]
    assert lack.startswith("LACK weights hf/owner/tiny/tiny.gguf: not in ")
    assert lack.endswith(f"->  turnwise pull {TINY}")
    assert hub.asked == [], "it only looks"
    await home.run("pull")
    assert "ok   weights hf/owner/tiny/tiny.gguf: cached at " in (await home.run("doctor")).out


async def test_models_names_who_answers_and_who_else(home: Home, upstream: Upstream):
    home.configure(
        f'[models.tiny]\nsource = "{TINY}"\n'
        f'[models.big]\nengine = "openai"\nbase_url = "{upstream.url}"\nfallback = ["tiny", "*"]\n'
        '[models."*"]\nengine = "anthropic"\nmodel = "some-model"\napi_key = "sesame"\n'
    )
    out = (await home.run("models")).out
    assert out.splitlines() == [
        f"tiny  embedded, {TINY}",
        f"big   openai, the name that is asked for at {upstream.url}; else 'tiny', '*'",
        "*     anthropic, some-model  (answers every name that is not listed)",
    ]


@pytest.mark.model
async def test_the_first_start_fetches_a_model_from_the_hub_and_the_second_fetches_nothing(
    home: Home, hub: Hub, weights: Path
):
    hub.files["main/tiny.gguf"] = content_of(str(weights))
    home.configure(f'[models."*"]\nsource = "{TINY}"\nthreads = 2\nsha256 = "{BUILTIN.sha256.upper()}"\n')
    for fetches in (1, 0):
        hub.asked.clear()
        async with home.serve() as server, open_client(server.url) as client:
            assert any("fetching tiny.gguf (98 MB, once)" in line for line in server.lines) == bool(fetches)
            assert (await client.create("What is the capital of Italy?")).text.strip()
        assert len(hub.ranges_asked) == fetches


@pytest.mark.model
async def test_an_upstream_that_is_down_is_replaced_by_the_embedded_model_and_the_log_says_so(
    home: Home, upstream: Upstream, weights: Path
):
    upstream.fails = "refuses"
    (home.data / "models").mkdir(parents=True)
    shutil.copy(weights, home.data / "models")
    home.configure(
        f'[models.local]\nthreads = 2\n[models."*"]\nengine = "openai"\nbase_url = "{upstream.url}"\n'
        'fallback = ["local"]\n[models."*".defaults]\nsystem_instruction = "Be brief."\n'
    )
    async with home.serve() as server, open_client(server.url) as client:
        frames = await client.stream("What is the capital of Italy?").whole()
        assert text_of(frames).strip()
        assert any("asking 'local' in place of '*'" in line for line in server.lines)
        assert upstream.requests[0].messages[0] == {"role": "system", "content": "Be brief."}
        upstream.fails = None
        asked = len(upstream.requests)
        await client.create("hello")
        assert len(upstream.requests) == asked, "who could not answer rests for a while"
        async with asyncio.timeout(BOUND):
            while not (await client.create("hello")).text.startswith("hello#"):
                pass


# -- weights that write down speech

UPSTREAM = '[models."*"]\nengine = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'


@pytest.fixture
def whispers(hub: Hub) -> Hub:
    hub.repo = "ggerganov/whisper.cpp"
    hub.files = {"main/ggml-base.bin": b"lmgg" + CONTENT, "main/ggml-tiny.bin": b"lmgg" + CONTENT}
    return hub


async def test_pull_fetches_speech_weights_by_their_name(home: Home, whispers: Hub):
    done = await home.run("pull", "whisper-base")
    path = home.data / "models/hf/ggerganov/whisper.cpp/ggml-base.bin"
    assert (done.code, done.out) == (0, f"{path}\n"), done.err
    assert path.read_bytes() == b"lmgg" + CONTENT
    assert "fetching ggml-base.bin" in done.err


async def test_pull_without_a_name_fetches_speech_weights_that_the_settings_name(home: Home, whispers: Hub):
    assert (await home.run("pull")).out == "", "nobody asked for any"
    home.configure(f'{UPSTREAM}[media]\nspeech = "whisper-tiny"\n')
    assert (await home.run("pull")).out == f"{home.data / 'models/hf/ggerganov/whisper.cpp/ggml-tiny.bin'}\n"


async def test_doctor_says_whether_speech_is_heard_and_what_changes_it(home: Home, whispers: Hub):
    (line,) = [line for line in (await home.run("doctor")).out.splitlines() if "speech" in line]
    assert line.strip().endswith("the weights 'whisper-base' are not there; run: turnwise pull whisper-base")
    await home.run("pull", "whisper-base")
    (line,) = [line for line in (await home.run("doctor")).out.splitlines() if "speech" in line]
    assert (
        line == f"ok   speech in recordings: heard, with {home.data / 'models/hf/ggerganov/whisper.cpp/ggml-base.bin'}"
    )


async def test_doctor_says_who_reads_text_in_pictures(home: Home):
    (line,) = [line for line in (await home.run("doctor")).out.splitlines() if "pictures" in line]
    assert line.startswith("     text in pictures: tesseract")
    home.configure(f'{UPSTREAM}[media]\nocr = "off"\n')
    (line,) = [line for line in (await home.run("doctor")).out.splitlines() if "pictures" in line]
    assert line == (
        "     text in pictures: not read: text in pictures is not read here: the setting media.ocr is 'off';"
        " set it to 'auto'"
    )
