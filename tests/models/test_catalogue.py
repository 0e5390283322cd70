"""The catalogue: which name is answered by which model, what is shared, what is refused, and what is not imported."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.prompts import prompt, read, text
from models.upstream import answer, serve
from turnwise.domain.errors import ModelNotFound, ModelUnavailable
from turnwise.models.catalogue import ANY, ENGINES, Catalogue, ModelEntry
from turnwise.models.scripted import ScriptedModel, say


def scripted(made: list[ScriptedModel]) -> dict[str, Callable[..., ScriptedModel]]:
    """An engine of one's own, as a plug-in adds it."""

    def build(name: str, entry: ModelEntry, models_dir: Path) -> ScriptedModel:
        made.append(ScriptedModel(say(name)))
        return made[-1]

    return {"scripted": build}


def test_a_name_is_answered_by_its_entry_and_any_other_by_the_star(tmp_path: Path) -> None:
    made: list[ScriptedModel] = []
    names = {"a": ModelEntry("scripted", source="1"), ANY: ModelEntry("scripted", source="2")}
    catalogue = Catalogue(names, tmp_path, engines=scripted(made))
    assert catalogue.find("a") is made[0]
    assert catalogue.find("b") is catalogue.find(ANY) is made[1]
    assert catalogue.names() == [("a", made[0])]


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
    assert catalogue.find("a") is catalogue.find("b") is catalogue.find("c")
    assert [model.closes for model in made] == [1]


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
    "an engine that is not there": (ModelEntry("steam"), "there is no engine 'steam'; there are: embedded, openai"),
    "no address": (ModelEntry("openai"), "needs a base_url"),
    "a source for an upstream": (ModelEntry("openai", source="builtin", base_url="http://a/v1"), "has no source"),
    "an address for the engine": (ModelEntry("embedded", base_url="http://a/v1"), "has no base_url"),
    "a source of another kind": (ModelEntry("embedded", source="hf:a/b/c.safetensors"), "path of a .gguf file"),
    "a file that is not there": (ModelEntry("embedded", source="/nowhere/a.gguf"), "no file '/nowhere/a.gguf'"),
    "an option that is not there": (ModelEntry("embedded", options={"warp": 9}), "warp"),
    "an option of the other engine": (ModelEntry("openai", base_url="http://a/v1", options={"slots": 9}), "slots"),
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


@pytest.mark.parametrize("module", ["turnwise.models.catalogue", "turnwise.models.weights"])
def test_nothing_heavy_is_imported_before_it_is_chosen(module: str) -> None:
    heavy = ("aiohttp", "rich", "xllamacpp", "orjson")
    code = f"import sys, {module}; sys.exit([m for m in {heavy} if m in sys.modules] or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_engines_that_come_along_are_these() -> None:
    assert list(ENGINES) == ["embedded", "openai"]
