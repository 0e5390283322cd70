"""Images, sounds, videos, documents and files: the founding document's snippets unchanged, and the current form.

A snippet is changed only where the document leaves a place to its reader, and where it names a picture on the public
web: there stands the address of the exhibits. What was made is decoded by Pillow and PyAV, which know nothing of who
made it. The default model answers in few words and always the same, as the settings of its server say.
"""

import json
import re
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.speech.hearing import decoded, parts, pitch

from .conftest import script_of
from .exhibits import RATE, SECONDS, STATIONS, hash_of, make_exhibits, open_web, samples_of, witness, write_wave
from .founding import at_server, document_path
from .programs import TIMEOUT, Outcome, run_sdk, run_shell
from .sdks import Sdk
from .selection import OUTPUTS, STEPS, marks_of
from .serving import serve
from .upstream import Upstream, open_upstream

DEFAULT_SETTINGS = """
[network]
allow = ["{web}"]

[models."*".defaults]
temperature = 0
max_output_tokens = 24

[models.ears]
engine = "openai"
base_url = "{witness}"
inputs = ["text", "audio"]
"""

WITNESS_SETTINGS = """
[network]
allow = ["{web}"]

[models."*"]
engine = "openai"
base_url = "{witness}"
inputs = ["text", "audio"]
"""

PICTURE_OF_THE_WEB = re.compile(r"https://github\.com/[^'\"]*cats-and-dogs\.jpg")


def over(sdks: Iterable[Sdk]) -> pytest.MarkDecorator:
    """Run the test once for each of these, in a row: the default model has just read the snippet's prompt then."""
    return pytest.mark.parametrize("sdk", [pytest.param(sdk, id=str(sdk), marks=marks_of(sdk)) for sdk in sdks])


over_outputs_sdks = over(OUTPUTS)
over_steps_sdks = over(STEPS)


@pytest.fixture(scope="session")
def exhibits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exhibits")
    make_exhibits(folder)
    return folder


@pytest.fixture(scope="module")
def web(exhibits: Path) -> Iterator[str]:
    with open_web(exhibits) as address:
        yield address


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with open_upstream(witness) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def open_server(
    cache: Path, web: str, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], AbstractContextManager[str]]:
    """Serves with these settings, which know the web and the witness."""

    def open_now(settings: str) -> AbstractContextManager[str]:
        folder = tmp_path_factory.mktemp("media")
        file = folder / "turnwise.toml"
        file.write_text(settings.format(web=web.removeprefix("http://"), witness=upstream.address))
        return serve(folder / "data", cache / "models", "--config", str(file))

    return open_now


@pytest.fixture(scope="module")
def server(open_server) -> Iterator[str]:
    """The address of a server that the default model answers for, and a model named `ears` that takes sound."""
    with open_server(DEFAULT_SETTINGS) as address:
        yield address


@pytest.fixture(scope="module")
def witnessed(open_server) -> Iterator[str]:
    """The address of a server for whose every name the witness answers."""
    with open_server(WITNESS_SETTINGS) as address:
        yield address


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the document says of speech by several speakers."""

    prompt: str
    voices: list[dict]


@pytest.fixture(scope="session")
def conversation(snippets) -> Conversation:
    """The document's prompt for two, and its voices."""
    document = document_path().read_text(encoding="utf-8")
    prompt = re.search(r"^TTS the following.*?Gemini API\.$", document, re.DOTALL | re.MULTILINE)
    voices = re.search(r'"speech_config": (\[.*?\])', document, re.DOTALL)
    return Conversation(prompt[0], json.loads(voices[1]))


@pytest.fixture(scope="module")
def dialogue(server: str, exhibits: Path, conversation: Conversation) -> Path:
    """A recording of Alice and Bob, among the exhibits."""
    (output,) = post(
        server,
        model="gemini-2.5-flash-preview-tts",
        input=conversation.prompt,
        response_modalities=["AUDIO"],
        generation_config={"speech_config": conversation.voices},
    )["outputs"]
    path = exhibits / "dialogue.wav"
    write_wave(path, b64decode(output["data"], validate=True))
    return path


@pytest.fixture
def run_snippet(snippets, server, environment_of, tmp_path):
    """Run a snippet with an SDK, or what became of it, with an address where the document leaves that to its reader."""

    def run_now(sdk: Sdk, name: str, *, at: str = "", on: str = server, snippet: str | None = None) -> Outcome:
        script = tmp_path / ("snippet.py" if sdk.language == "python" else "snippet.mjs")
        script.write_text(with_address(snippet or snippets[name][sdk.language], at), encoding="utf-8")
        return run_sdk(sdk, environment_of(sdk), script, tmp_path, on)

    return run_now


@pytest.fixture
def run_curl(program, snippets, server, tmp_path):
    """Run a REST snippet, or what became of it, and give what was printed."""
    program("curl")

    def run_now(name: str, *, at: str = "", on: str = server, snippet: str | None = None) -> str:
        request = at_server(with_address(snippet or snippets[name]["rest"], at), on)
        return run_shell(request, tmp_path, on).succeeded().stdout

    return run_now


@pytest.fixture
def shown(sdk, environment_of, server, exhibits, web, dialogue, tmp_path) -> dict:
    """What an SDK of the current form reports of the media that it showed."""
    script = script_of(sdk, "shown_media")
    return run_sdk(sdk, environment_of(sdk), script, tmp_path, server, str(exhibits), web).report()


@dataclass(frozen=True, slots=True)
class Made:
    """What an SDK of the current form reports of the media that it had made, and the folder that they are in."""

    report: dict
    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / self.report[name]["file"]

    def file(self, name: str) -> bytes:
        return self.path(name).read_bytes()


@pytest.fixture(scope="module")
def all_made() -> dict[Sdk, Made]:
    return {}


@pytest.fixture
def made(sdk, all_made, environment_of, server, tmp_path_factory) -> Made:
    """What an SDK of the current form had made; each is asked once."""
    if sdk not in all_made:
        folder = tmp_path_factory.mktemp(f"{sdk}-made")
        outcome = run_sdk(sdk, environment_of(sdk), script_of(sdk, "made_media"), folder, server)
        all_made[sdk] = Made(outcome.report(), folder)
    return all_made[sdk]


def with_address(snippet: str, address: str) -> str:
    """A snippet with an address where the document leaves it to its reader, or names a picture of the public web."""
    return PICTURE_OF_THE_WEB.sub(address, re.sub("YOUR_URL|FILE_URI", address, snippet))


def for_two(snippet: str, conversation: Conversation) -> str:
    """The speech snippet with the document's prompt for two, and its voices."""
    prompt = re.sub(r"(['\"])Say the following: .*?\1", lambda _: as_json(conversation.prompt), snippet)
    voices = as_json(conversation.voices)
    return re.sub(r"(\"?speech_config\"?: )\{.*?\}", lambda found: found[1] + voices, prompt, flags=re.DOTALL)


def as_json(value: object) -> str:
    """A value as all three languages read it; within a shell's single quotes too."""
    return json.dumps(value).replace("'", r"\u0027")


def post(server: str, **body: object) -> dict:
    request = urllib.request.Request(
        f"{server}/v1beta/interactions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "x-goog-api-key": "any-key", "Api-Revision": "2025-12-01"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        return json.load(reply)


def picture(path: Path) -> Image.Image:
    """A picture, decoded to its last pixel."""
    with Image.open(path) as opened:
        opened.load()
        return opened


def shares(picture: Image.Image) -> tuple[float, float]:
    """How much of a picture is clearly red, and how much is clearly blue."""
    red, green, blue = (channel.astype(int) for channel in np.moveaxis(np.asarray(picture.convert("RGB")), 2, 0))
    return float((red > 1.5 * np.maximum(green, blue)).mean()), float((blue > 1.5 * np.maximum(red, green)).mean())


def seconds(pcm: bytes) -> float:
    return len(samples_of(pcm)) / RATE


def is_woohoo(path: Path) -> bool:
    """Whether a file is WAV with somebody's voice in it, for about as long as the document's sentence takes."""
    sound = decoded(path.read_bytes())
    assert (sound.container, sound.codec, sound.rate, sound.channels) == ("wav", "pcm_s16le", RATE, 1)
    return 1 < sound.seconds < 4 and 150 < pitch(sound.samples) < 300


def is_alice_then_bob_then_alice(path: Path) -> bool:
    """Whether the first and the last to speak have the same voice, and one between them has a much deeper one."""
    first, *between, last = (pitch(part) for part in parts(decoded(path.read_bytes()).samples))
    return abs(first / last - 1) < 0.15 and min(between) < 0.75 * min(first, last)


# --- what the founding document shows a model


@over_outputs_sdks
def test_image_is_described(sdk, run_snippet, web):
    printed = run_snippet(sdk, "image_understanding", at=f"{web}/notice.png").succeeded().stdout
    assert "PNG" in printed or "360 pixels" in printed


@over_outputs_sdks
def test_video_is_summed_up(sdk, run_snippet, web):
    head, summary = run_snippet(sdk, "video_understanding", at=f"{web}/journey.mp4").succeeded().stdout.split("\n", 1)
    assert head == "Analyzing video..."
    assert "train" in summary.lower()


@over_outputs_sdks
def test_document_is_summed_up(sdk, run_snippet, web):
    printed = run_snippet(sdk, "document_understanding", at=f"{web}/report.pdf").succeeded().stdout
    assert "waterworks" in printed


@over_outputs_sdks
def test_picture_at_an_address_is_described(sdk, run_snippet, web):
    printed = run_snippet(sdk, "remote_files", at=f"{web}/cats-and-dogs.jpg").succeeded().stdout.lower()
    assert "cat" in printed
    assert "dog" in printed


@over_outputs_sdks
def test_picture_is_uploaded_awaited_and_described(sdk, run_snippet, web):
    printed = run_snippet(sdk, "files_api", at=f"{web}/cats-and-dogs.jpg").succeeded().stdout.lower()
    assert "cat" in printed
    assert "dog" in printed


@over_outputs_sdks
def test_sound_that_nobody_can_hear_is_refused_with_the_command_that_changes_it(sdk, run_snippet, web, dialogue):
    outcome = run_snippet(sdk, "audio_understanding", at=f"{web}/dialogue.wav")
    assert outcome.code != 0
    assert "input, audio 1" in outcome.stderr
    assert "run: turnwise pull whisper-base" in outcome.stderr


@over_outputs_sdks
def test_sound_is_heard_by_a_model_with_ears(sdk, run_snippet, web, witnessed, dialogue):
    printed = run_snippet(sdk, "audio_understanding", at=f"{web}/dialogue.wav", on=witnessed).succeeded().stdout
    assert printed.splitlines() == ["What does this audio say?", f"I heard wav {hash_of(dialogue.read_bytes())}"]


# --- and with curl


def test_image_is_described_by_curl(run_curl, web):
    assert "PNG" in answer(run_curl("image_understanding", at=f"{web}/notice.png"))


def test_question_about_an_image_is_answered_from_what_is_written_in_it(run_curl, snippets, web):
    asked = snippets["image_understanding"]["rest"].replace(
        "Describe the image.", "When does the ferry to Skagen leave?"
    )
    assert "14:35" in answer(run_curl("image_understanding", at=f"{web}/notice.png", snippet=asked))


def test_video_is_told_by_curl_with_what_is_seen_when(run_curl, web, witnessed):
    told = answer(run_curl("video_understanding", at=f"{web}/journey.mp4", on=witnessed))
    assert "You cannot see it." in told
    seen = re.findall(r"^\[(\d\d:\d\d).*?\]\n.*?station (\d+)\.", told, re.DOTALL | re.MULTILINE)
    assert seen == [(f"00:0{round(number * SECONDS)}", station) for number, station in enumerate(STATIONS)]


def test_question_about_a_video_is_answered_from_its_last_frame(run_curl, snippets, web):
    asked = snippets["video_understanding"]["rest"]
    asked = asked.replace("What is happening in this video?", "What is the last station?")
    assert STATIONS[-1] in answer(run_curl("video_understanding", at=f"{web}/journey.mp4", snippet=asked))


def test_document_is_summed_up_by_curl(run_curl, web):
    assert "waterworks" in answer(run_curl("document_understanding", at=f"{web}/report.pdf"))


def test_question_about_a_long_document_is_answered_from_its_one_page(run_curl, snippets, web):
    asked = snippets["document_understanding"]["rest"].replace(
        "What is this document about?", "Who is the director of the waterworks?"
    )
    assert "Ingrid Solberg" in answer(run_curl("document_understanding", at=f"{web}/report.pdf", snippet=asked))


def test_sound_is_refused_by_curl(run_curl, web, dialogue):
    error = json.loads(run_curl("audio_understanding", at=f"{web}/dialogue.wav"))["error"]
    assert error["code"] == "unimplemented"
    assert error["message"].endswith("run: turnwise pull whisper-base")


def test_sound_is_heard_by_curl(run_curl, web, witnessed, dialogue):
    heard = answer(run_curl("audio_understanding", at=f"{web}/dialogue.wav", on=witnessed))
    assert heard.endswith(f"I heard wav {hash_of(dialogue.read_bytes())}")


def test_picture_at_an_address_is_described_by_curl(run_curl, web):
    assert "dog" in answer(run_curl("remote_files", at=f"{web}/cats-and-dogs.jpg")).lower()


def test_uploaded_picture_is_described_by_curl(run_curl, exhibits, server):
    upload = urllib.request.Request(f"{server}/upload/v1beta/files", (exhibits / "cats-and-dogs.jpg").read_bytes())
    with urllib.request.urlopen(upload, timeout=TIMEOUT) as reply:
        file = json.load(reply)["file"]
    assert file["mimeType"] == "image/jpeg"
    assert "dog" in answer(run_curl("files_api", at=file["uri"])).lower()


def answer(printed: str) -> str:
    """The text of an interaction that curl printed."""
    interaction = json.loads(printed)
    assert interaction["status"] in ("completed", "incomplete"), printed
    return interaction["outputs"][-1]["text"]


# --- what it has a model make


@over_outputs_sdks
def test_image_is_generated(sdk, run_snippet, tmp_path):
    printed = run_snippet(sdk, "image_generation").succeeded().stdout
    assert printed == "Generated image with mime_type: image/png\n"
    city = picture(tmp_path / "generated_city.png")
    assert (city.format, city.size) == ("PNG", (1024, 1024))


@over_outputs_sdks
def test_image_has_the_shape_and_the_size_of_its_configuration(sdk, run_snippet, tmp_path):
    run_snippet(sdk, "image_configuration").succeeded()
    assert picture(tmp_path / "generated_city.png").size == (1536, 2752)


@over_outputs_sdks
def test_speech_is_generated(sdk, run_snippet, tmp_path):
    printed = run_snippet(sdk, "speech_generation").succeeded().stdout
    assert printed == "Generated audio with mime_type: audio/l16\n"
    assert is_woohoo(tmp_path / "generated_audio.wav")


@over_outputs_sdks
def test_two_speakers_have_two_voices(sdk, run_snippet, snippets, conversation, tmp_path):
    snippet = for_two(snippets["speech_generation"][sdk.language], conversation)
    run_snippet(sdk, "speech_generation", snippet=snippet).succeeded()
    assert is_alice_then_bob_then_alice(tmp_path / "generated_audio.wav")


@pytest.mark.parametrize(("name", "size"), [("image_generation", (1024, 1024)), ("image_configuration", (1536, 2752))])
def test_image_is_generated_by_curl(run_curl, tmp_path, name, size):
    (output,) = json.loads(run_curl(name))["outputs"]
    assert (output["type"], output["mime_type"]) == ("image", "image/png")
    (tmp_path / "city.png").write_bytes(b64decode(output["data"], validate=True))
    assert picture(tmp_path / "city.png").size == size


def test_speech_goes_through_jq_base64_and_ffmpeg(run_curl, program, tmp_path):
    for name in ("jq", "base64", "ffmpeg"):
        program(name)
    run_curl("speech_generation")
    assert is_woohoo(tmp_path / "generated_audio.wav")


def test_two_speakers_have_two_voices_by_curl(run_curl, program, snippets, conversation, tmp_path):
    for name in ("jq", "base64", "ffmpeg"):
        program(name)
    run_curl("speech_generation", snippet=for_two(snippets["speech_generation"]["rest"], conversation))
    assert is_alice_then_bob_then_alice(tmp_path / "generated_audio.wav")


def test_other_prompts_have_other_pictures_and_other_words(server):
    def paint(words: str) -> bytes:
        asked = {"response_modalities": ["image"], "generation_config": {"seed": 1}}
        return b64decode(post(server, model="gemini-3-pro-image-preview", input=words, **asked)["outputs"][0]["data"])

    def speak(words: str) -> bytes:
        asked = {"model": "gemini-2.5-flash-preview-tts", "response_modalities": ["audio"]}
        return b64decode(post(server, input=words, **asked)["outputs"][0]["data"])

    cities = [paint("Generate an image of a futuristic city.") for _ in range(2)]
    assert cities[0] == cities[1] != paint("Generate an image of a red boat on the sea.")
    assert seconds(speak("Say the following: One, two, three, four, five, six.")) > 1.5 * seconds(speak("Say: One."))


# --- the current form


@over_steps_sdks
def test_what_is_shown_in_the_current_form_is_understood(sdk, shown, dialogue):
    assert "14:35" in shown["image"]
    assert "dog" in shown["remote"].lower()
    assert "Ingrid Solberg" in shown["document"]
    assert STATIONS[-1] in shown["video"]
    assert shown["heard"].endswith(f"I heard wav {hash_of(dialogue.read_bytes())}")
    assert shown["not_heard"]["status"] == 501
    assert "run: turnwise pull whisper-base" in shown["not_heard"]["message"]
    assert "red house" in shown["asked_after"].lower()


@over_steps_sdks
def test_image_format_sets_the_shape_the_size_and_the_form(sdk, made):
    assert picture(made.path("city")).size == (688, 384)
    streamed = picture(made.path("streamed_city"))
    assert (streamed.format, streamed.size) == ("JPEG", (1024, 1024))
    assert (made.report["streamed_city"]["mime_type"], made.report["streamed_city"]["others"]) == ("image/jpeg", 0)


@over_steps_sdks
def test_picture_is_changed_by_the_next_turn(sdk, made):
    (red, some), (less, blue) = (shares(picture(made.path(name))) for name in ("house", "blue"))
    assert less < red / 2
    assert blue > some


@over_steps_sdks
def test_picture_that_is_delivered_as_a_file_has_the_bytes_of_one_that_is_not(sdk, made, server):
    assert made.report["house"]["uri"] is None
    assert re.fullmatch(rf"{server}/v1(beta)?/files/\w+", made.report["kept"]["uri"])
    assert made.file("kept") == made.file("house")


@over_steps_sdks
def test_speech_in_the_current_form_has_its_rate_and_is_said_again_more_slowly(sdk, made):
    said = made.report["said"]
    assert (said["mime_type"], said["sample_rate"], said["channels"]) == ("audio/l16", RATE, 1)
    assert 1 < seconds(made.file("said")) < 4
    assert seconds(made.file("slower")) > 1.2 * seconds(made.file("said"))
    assert 150 < pitch(samples_of(made.file("slower"))) < 300


@over_steps_sdks
def test_speech_that_is_delivered_as_a_file_is_wave(sdk, made):
    assert made.report["wav"]["mime_type"] == "audio/wav"
    assert made.report["wav"]["uri"]
    assert is_woohoo(made.path("wav"))


@over_steps_sdks
def test_streamed_speech_comes_piece_by_piece(sdk, made):
    assert made.report["streamed_speech"]["pieces"] > 1
    assert made.report["streamed_speech"]["others"] == 0
    assert abs(seconds(made.file("streamed_speech")) / seconds(made.file("said")) - 1) < 0.1


@over(sdk for sdk in STEPS if sdk.major >= 3)
def test_output_image_and_output_audio_are_what_was_made(sdk, made):
    assert {made.report[name]["convenient"] for name in ("city", "house", "blue", "kept", "said", "wav")} == {True}
