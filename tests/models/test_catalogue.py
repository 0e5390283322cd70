"""The catalogue: which name is answered by which model, what is shared, what is refused, and what is not imported."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.prompts import prompt, read, text
from models.upstream import answer, serve
from turnwise.domain.errors import ModelNotFound, ModelUnavailable
from turnwise.domain.interaction import GenerationConfig
from turnwise.models.catalogue import ANY, KNOWN, SHORT, Catalogue
from turnwise.models.engines import ENGINES, VENDORS, ModelEntry
from turnwise.models.manner import Manner
from turnwise.models.model import ModelCard
from turnwise.models.scripted import ScriptedModel, say


def scripted(made: list[ScriptedModel]) -> dict[str, Callable[..., ScriptedModel]]:
    """An engine of one's own, as a plug-in adds it. It says its name and its source."""

    def build(name: str, entry: ModelEntry, models_dir: Path) -> ScriptedModel:
        if entry.source == "broken":
            raise ValueError(f"models.{name}: it is broken")
        made.append(ScriptedModel(answer=lambda prompt: say(f"{name} of {entry.source}"), card=ModelCard(name)))
        return made[-1]

    return {"scripted": build}


async def said(catalogue: Catalogue, name: str) -> str:
    return text(await read(catalogue.find(name), prompt()))


async def test_a_name_is_answered_by_its_entry_and_any_other_by_the_star(tmp_path: Path) -> None:
    names = {"a": ModelEntry("scripted", source="1"), ANY: ModelEntry("scripted", source="2")}
    catalogue = Catalogue(names, tmp_path, engines=scripted([]))
    assert [await said(catalogue, name) for name in ("a", "b", ANY)] == ["a of 1", "* of 2", "* of 2"]
    assert [(name, model.card.name) for name, model in catalogue.names()] == [("a", "a")]


def test_without_a_star_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    names = {"a": ModelEntry("scripted"), "b": ModelEntry("scripted")}
    with pytest.raises(ModelNotFound, match="no model 'c'; this server has: 'a', 'b'"):
        Catalogue(names, tmp_path, engines=scripted([])).find("c")


async def test_equal_entries_share_one_engine_which_is_closed_once(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    same = ModelEntry("scripted", source="1", options={"x": 1})
    catalogue = Catalogue({"a": same, "b": same, ANY: same}, tmp_path, engines=scripted(made))
    await catalogue.start()
    await catalogue.close()
    assert [model.closes for model in made] == [1]


async def test_names_that_differ_only_in_how_they_speak_share_one_engine(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    engines = scripted(made)
    names = {
        "plain": ModelEntry("scripted", source="1"),
        "brief": ModelEntry("scripted", source="1", manner=Manner(GenerationConfig(max_output_tokens=9))),
        "safe": ModelEntry("scripted", source="1", fallback=["plain"]),
    }
    catalogue = Catalogue(names, tmp_path, engines=engines)
    assert len(made) == 1
    for name in names:
        await said(catalogue, name)
    assert [asked.generation.max_output_tokens for asked in made[0].prompts] == [None, 9, None]


async def test_names_of_one_embedded_model_share_its_engine_whatever_their_limits(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    names = {
        "a": ModelEntry("embedded"),
        "b": ModelEntry("embedded", source="builtin", can={"tools": True}, options={"total": 5.0}),
        "c": ModelEntry("embedded", options={"slots": 2}),
    }
    Catalogue(names, tmp_path, engines={"embedded": scripted(made)["scripted"]})
    assert len(made) == 2


async def test_the_model_that_is_asked_for_by_name_at_a_vendor_is_nobody_elses(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    Catalogue({"a": ModelEntry("scripted"), "b": ModelEntry("scripted")}, tmp_path, engines=scripted(made))
    assert len(made) == 2


# -- what the card says


async def test_the_card_says_what_the_settings_know_better(tmp_path: Path) -> None:
    manner = Manner(output_tokens=100, inputs=frozenset({"text"}), description="for short answers")
    names = {"a": ModelEntry("embedded", can={"tools": True, "schemas": False, "thinks": True}, manner=manner)}
    catalogue = Catalogue(names, tmp_path, engines={"embedded": scripted([])["scripted"]})
    card = catalogue.card("a")
    assert (card.tools, card.schemas, card.thinks) == (True, False, True)
    assert (card.output_tokens, card.description) == (100, "for short answers")


def test_a_modality_that_no_model_can_be_shown_is_not_promised(tmp_path: Path) -> None:
    names = {"a": ModelEntry("scripted", manner=Manner(inputs=frozenset({"text", "video"})))}
    with pytest.raises(ValueError, match=r"models\.a: inputs: engine 'scripted' cannot show video to a model"):
        Catalogue(names, tmp_path, engines=scripted([]))


# -- change


async def test_the_next_turn_is_answered_by_the_new_entries(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    await catalogue.start()
    await catalogue.change({"a": ModelEntry("scripted", source="2"), "b": ModelEntry("scripted", source="3")})
    assert [await said(catalogue, name) for name in ("a", "b")] == ["a of 2", "b of 3"]
    await catalogue.close()
    assert [model.closes for model in made] == [1, 1, 1]


async def test_an_engine_that_is_still_wanted_stays(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    changed = ModelEntry("scripted", source="1", manner=Manner(description="another word"))
    await catalogue.change({"b": changed})
    assert await said(catalogue, "b") == "a of 1"
    assert len(made) == 1
    with pytest.raises(ModelNotFound, match="no model 'a'"):
        catalogue.find("a")
    await catalogue.close()
    assert made[0].closes == 1


async def test_an_entry_that_cannot_be_changes_nothing(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    for wrong in (ModelEntry("scripted", source="broken"), ModelEntry("scripted", fallback=["nobody"])):
        with pytest.raises(ValueError, match=r"models\.b: "):
            await catalogue.change({"a": ModelEntry("scripted", source="2"), "b": wrong})
    assert await said(catalogue, "a") == "a of 1"
    await catalogue.close()


async def test_a_turn_keeps_its_engine_until_it_has_ended_between_its_calls_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnwise.models.catalogue.LINGERING", 0.0)
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    model = catalogue.find("a")
    await catalogue.change({"a": ModelEntry("scripted", source="2")})
    for _ in range(2):
        assert text(await read(model, prompt())) == "a of 1"
        await let_others_run()
        assert made[0].closes == 0
    del model
    await let_others_run()
    assert [engine.closes for engine in made] == [1, 0]
    await catalogue.close()
    assert [engine.closes for engine in made] == [1, 1]


async def test_a_stream_alone_keeps_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwise.models.catalogue.LINGERING", 0.0)
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    fragments = catalogue.find("a").stream(prompt())
    await anext(fragments)
    await catalogue.change({})
    await let_others_run()
    assert made[0].closes == 0
    await fragments.aclose()
    del fragments
    await let_others_run()
    assert made[0].closes == 1


async def test_a_turn_that_failed_does_not_keep_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnwise.models.catalogue.LINGERING", 0.0)
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))
    circle: list[object] = [catalogue.find("a")]
    circle.append(circle)  # as an error is in one with the frames that it came through
    del circle
    await catalogue.change({})
    await let_others_run()
    assert made[0].closes == 1


async def test_what_is_not_ready_changes_nothing(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    catalogue = Catalogue({"a": ModelEntry("scripted", source="1")}, tmp_path, engines=scripted(made))

    async def not_ready() -> None:
        assert await said(catalogue, "a") == "a of 1"
        raise ModelUnavailable("no weights")

    with pytest.raises(ModelUnavailable, match="no weights"):
        await catalogue.change({"a": ModelEntry("scripted", source="2")}, ready=not_ready)
    assert await said(catalogue, "a") == "a of 1"
    await catalogue.close()
    assert [engine.closes for engine in made] == [1, 1]


async def test_an_engine_that_is_wanted_again_before_its_last_turn_has_ended_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnwise.models.catalogue.LINGERING", 0.0)
    made: list[ScriptedModel] = []
    wanted = {"a": ModelEntry("scripted", source="1")}
    catalogue = Catalogue(wanted, tmp_path, engines=scripted(made))
    model = catalogue.find("a")
    await catalogue.change({})
    await catalogue.change(wanted)
    del model
    await let_others_run()
    assert await said(catalogue, "a") == "a of 1"
    assert [engine.closes for engine in made] == [0]
    await catalogue.change({})
    await catalogue.close()
    assert [engine.closes for engine in made] == [1]


async def let_others_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


# -- known again


class Named(ScriptedModel):
    """An upstream that is asked for the name that was asked for, and counts that."""

    def __init__(self) -> None:
        super().__init__(answer=lambda prompt: say("Hi"), card=ModelCard("upstream"))
        self.named_as: list[str] = []

    def named(self, name: str) -> ScriptedModel:
        self.named_as.append(name)
        return ScriptedModel(answer=lambda prompt: say(f"I am {name}"), card=ModelCard(name))


async def test_who_answers_to_a_name_is_put_together_once_until_the_entries_change(tmp_path: Path) -> None:
    made: list[Named] = []

    def build(name: str, entry: ModelEntry, models_dir: Path) -> Named:
        made.append(Named())
        return made[-1]

    catalogue = Catalogue({ANY: ModelEntry("named")}, tmp_path, engines={"named": build})
    for name in ("a", "b", "a", "b"):
        assert await said(catalogue, name) == f"I am {name}"
    assert made[0].named_as == ["a", "b"]
    await catalogue.change({ANY: ModelEntry("named", options={"other": 1})})
    assert await said(catalogue, "a") == "I am a"
    assert (made[0].named_as, made[1].named_as) == (["a", "b"], ["a"])
    await catalogue.close()


async def test_only_so_many_names_are_known_again_and_only_short_ones(tmp_path: Path) -> None:
    made: list[Named] = []

    def build(name: str, entry: ModelEntry, models_dir: Path) -> Named:
        made.append(Named())
        return made[-1]

    catalogue = Catalogue({ANY: ModelEntry("named")}, tmp_path, engines={"named": build})
    long = "n" * (SHORT + 1)
    for _ in range(2):
        catalogue.find(long)
    assert made[0].named_as == [long, long]
    for number in range(KNOWN + 1):
        catalogue.find(str(number))
    catalogue.find("0")
    assert made[0].named_as[2:] == [*map(str, range(KNOWN + 1)), "0"]
    await catalogue.close()


# -- refused


async def test_an_upstream_without_a_model_is_asked_for_the_name_that_was_asked_for(tmp_path: Path) -> None:
    async with serve(answer("a")) as upstream:
        open_to_all = ModelEntry("openai", base_url=upstream.url)
        catalogue = Catalogue({"mine": open_to_all, ANY: open_to_all}, tmp_path)
        for name in ("mine", "theirs"):
            assert text(await read(catalogue.find(name), prompt())) == "a"
        await catalogue.close()
    assert [request.body["model"] for request in upstream.requests] == ["mine", "theirs"]


async def test_an_upstream_with_a_model_is_asked_for_that_one(tmp_path: Path) -> None:
    async with serve(answer("a")) as upstream:
        catalogue = Catalogue({ANY: ModelEntry("openai", base_url=upstream.url, model="qwen")}, tmp_path)
        await read(catalogue.find("whatever"), prompt())
        await catalogue.close()
    assert upstream.requests[0].body["model"] == "qwen"


WRONG: dict[str, tuple[ModelEntry, str]] = {
    "an engine that is not there": (ModelEntry("steam"), "there is no engine 'steam'; there are: embedded, openai, "),
    "no address": (ModelEntry("openai"), "needs a base_url"),
    "a source for an upstream": (ModelEntry("openai", source="builtin", base_url="http://a/v1"), "has no source"),
    "an address for the engine": (ModelEntry("embedded", base_url="http://a/v1"), "has no base_url"),
    "a source of another kind": (ModelEntry("embedded", source="hf:a/b/c.safetensors"), "hf:OWNER/REPO/FILE.gguf"),
    "a file that is not there": (ModelEntry("embedded", source="/nowhere/a.gguf"), "no file '/nowhere/a.gguf'"),
    "a hash for an upstream": (ModelEntry("openai", base_url="http://a/v1", sha256="0" * 64), "has no sha256"),
    "a fallback that is not listed": (ModelEntry("embedded", fallback=["other"]), "'other' is not listed; listed are:"),
    "a fallback on itself": (ModelEntry("embedded", fallback=["mine"]), "in a circle: mine, mine"),
    "an option that is not there": (ModelEntry("embedded", options={"warp": 9}), "warp"),
    "an option of the other engine": (ModelEntry("openai", base_url="http://a/v1", options={"slots": 9}), "slots"),
    "an option by its name in the settings": (ModelEntry("embedded", options={"idle": 9.0}), "has no idle_seconds"),
    "an address without a scheme": (ModelEntry("openai", base_url="a:80/v1"), "base_url is 'a:80/v1'; it must be"),
    "an address that is none": (ModelEntry("openai", base_url="http://[a/v1"), "base_url is"),
    "words and pictures of an upstream": (
        ModelEntry("openai", base_url="http://a/v1", outputs=frozenset({"text", "image"})),
        r"outputs: engine 'openai' answers with one of \[text\], \[text, audio\], \[image\], \[audio\]",
    ),
    "pictures and sound of a vendor": (
        ModelEntry("gemini", api_key="k", outputs=frozenset({"image", "audio"})),
        "outputs: engine 'gemini' answers with one of",
    ),
    "tools for a painter": (
        ModelEntry("openai", base_url="http://a/v1", outputs=frozenset({"image"}), can={"tools": True}),
        "engine 'openai' has no tools",
    ),
    "thoughts for a voice": (ModelEntry("espeak", can={"thinks": False}), "engine 'espeak' has no thinks"),
    "a time limit for a voice": (ModelEntry("espeak", options={"total": 9.0}), "engine 'espeak' has no total_seconds"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_entry_that_cannot_be_is_refused_by_its_name(tmp_path: Path, case: str) -> None:
    entry, words = WRONG[case]
    with pytest.raises(ValueError, match=words) as caught:
        Catalogue({"mine": entry}, tmp_path)
    assert str(caught.value).startswith("models.mine: ")


async def test_a_file_that_is_no_model_makes_an_engine_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"no model")
    catalogue = Catalogue({ANY: ModelEntry("embedded", source=str(tmp_path / "a.gguf"))}, tmp_path)
    await catalogue.start()
    with pytest.raises(ModelUnavailable, match="cannot load the model"):
        await read(catalogue.find("a"), prompt())
    await catalogue.close()


def test_the_key_is_not_in_what_an_entry_looks_like() -> None:
    assert "sesame" not in repr(ModelEntry("openai", api_key="sesame"))


@pytest.mark.parametrize("module", ["turnwise.models.catalogue", "turnwise.models.sources"])
def test_nothing_heavy_is_imported_before_it_is_chosen(module: str) -> None:
    heavy = ("aiohttp", "rich", "xllamacpp", "orjson", "urllib.request", "pydantic_ai")
    code = f"import sys, {module}; sys.exit([m for m in {heavy} if m in sys.modules] or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_engines_that_come_along_are_these() -> None:
    assert set(ENGINES) == {"embedded", "openai", *VENDORS, "diffusers", "espeak", "kokoro", "piper"}


def test_the_vendors_are_those_that_there_are() -> None:
    vendors = pytest.importorskip("turnwise.models.vendors")
    assert sorted(vendors.VENDORS) == sorted(VENDORS)


def test_fallbacks_in_a_circle_are_refused(tmp_path: Path) -> None:
    names = {name: ModelEntry("scripted", fallback=[other]) for name, other in ("ab", "bc", "ca")}
    with pytest.raises(ValueError, match=r"models\.a: its fallback goes in a circle: a, b, c, a"):
        Catalogue(names, tmp_path, engines=scripted([]))
