"""What turnwise is deployed with: the image, compose.yaml and the Kubernetes manifest, as far as they can be tried
without an engine that runs containers.
"""

import asyncio
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

import turnwise
from support import serve
from turnwise.app.models import build_catalogue
from turnwise.cli import main
from turnwise.settings import Settings, load_settings
from turnwise.store.errors import DatabaseUnavailable
from turnwise.store.memory import MemoryStore
from turnwise.store.store import Key

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MANIFEST = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text()))
GUIDE = (ROOT / "docs/guides/many-machines.md").read_text()

OURS = {name: service for name, service in COMPOSE["services"].items() if name != "postgres"}
WORKLOADS = [thing for thing in MANIFEST if thing["kind"] in ("Job", "Deployment")]
PODS = [(thing["metadata"]["name"], thing["spec"]["template"]["spec"]) for thing in WORKLOADS]

Done: TypeAlias = subprocess.CompletedProcess[str]

ENDING = 10
"""Seconds within which every process of turnwise has ended that was told to."""


def check_command(words: Sequence[str]) -> None:
    """See to it that turnwise has this command, with these options."""
    command: Any = main
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_context(words[0], rest)


def find_program(name: str) -> str:
    """Where a program is: beside Python, or in the PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# -- the image


def test_the_dockerfile_keeps_to_the_rules_of_dockerfiles():
    done = subprocess.run([find_program("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_made_of_what_is_sent_to_its_engine():
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [words for line in re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.MULTILINE) for words in line.split()]
    sources = [word for word in copied if (ROOT / word).exists() and word != "./"]
    assert sorted(set(sources)) == sorted(sent)


def test_the_image_runs_as_nobody_in_particular():
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    (user,) = re.findall(r"^USER (\d+):\d+$", stages[-1], re.MULTILINE)
    assert int(user) > 0
    assert f"useradd --uid {user} " in stages[-1]
    for _, pod in PODS:
        assert pod["securityContext"]["runAsUser"] == int(user)


def test_the_image_starts_a_server():
    said = dict(re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", DOCKERFILE, re.MULTILINE))
    assert json.loads(said["ENTRYPOINT"]) == ["turnwise"]
    check_command(json.loads(said["CMD"]))


async def test_the_health_check_of_the_image_tells_who_is_ready():
    class AwayStore(MemoryStore):
        async def keys(self) -> Sequence[Key]:
            raise DatabaseUnavailable("connection refused")

    async with serve() as served:
        assert await health_check(served.url) == 0
    assert await health_check(served.url) == 1, "nobody listens there any more"
    async with serve(store=AwayStore()) as served:
        assert await health_check(served.url) == 1


async def health_check(url: str) -> int:
    """What the image's own check of its health comes to, if it looks there."""
    (found,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    _, option, script = json.loads(found.replace("\\\n", ""))
    port = url.rpartition(":")[2]
    assert "8787" in script
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, option, script.replace("8787", port)), stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(30):
        return await process.wait()


def test_the_packages_of_the_image_are_pinned_by_their_hashes():
    text = (ROOT / "requirements/all.txt").read_text()
    assert "://" not in text
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert all(re.match(r"[\w.-]+==\S+ .*\\\n +--hash=sha256:", entry) for entry in entries)
    pinned = {entry.partition("==")[0] for entry in entries}
    assert {"asyncpg", "obstore", "uvloop", "xllamacpp", "hatchling"} <= pinned
    assert pinned.isdisjoint({"pytest", "mypy", "moto", "ruff"})


def test_the_image_has_the_packages_that_are_tested():
    ours, tested = (pins(ROOT / "requirements" / name) for name in ("all.txt", "dev.txt"))
    assert {name: version for name, version in ours.items() if tested.get(name, version) != version} == {}


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", file.read_text(), re.MULTILINE))


# -- compose.yaml


def test_compose_understands_it():
    for words in (["docker", "compose"], ["docker-compose"]):
        done = compose(words, "version")
        if done is not None and done.returncode == 0:
            checked = compose(words, "config", "--quiet")
            assert checked is not None
            assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
            unset = compose(words, "config", "--quiet", password="")
            assert unset is not None
            assert unset.returncode != 0
            assert "set it in the file .env" in unset.stderr
            return
    pytest.skip("compose is not installed")


def compose(words: list[str], *arguments: str, password: str = "a password") -> Done | None:
    program = shutil.which(words[0])
    if program is None:
        return None
    return subprocess.run(
        [program, *words[1:], *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "POSTGRES_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_services_of_compose_do_what_turnwise_can(service: dict[str, Any]):
    check_command(service["command"])
    assert settings_of(service["environment"]) <= set(Settings.model_fields)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert int(service["stop_grace_period"].removesuffix("s")) > ENDING


def test_services_of_compose_start_behind_what_they_need():
    assert OURS["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("api", "worker"):
        assert OURS[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_compose_holds_no_secret_and_lets_nobody_in_from_elsewhere():
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or value == "${POSTGRES_PASSWORD:?set it in the file .env}"
            assert not re.search(r"//[^/@]*:[^/@]*@", value), "a password in an address"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_settings_that_compose_brings_can_be():
    for volume in OURS["api"]["volumes"]:
        source, target, *_ = volume.split(":")
        if source.startswith("./"):
            assert OURS["api"]["environment"]["TURNWISE_CONFIG"] == target
            build_catalogue(load_settings(ROOT / source))


def settings_of(names: Any) -> set[str]:
    """The settings that environment variables are. The file of the others is one too."""
    ours = {name.removeprefix("TURNWISE_").lower() for name in names if name.startswith("TURNWISE_")}
    return {name.partition("__")[0] for name in ours} - {"config"}


# -- Kubernetes


@pytest.mark.parametrize("version", ["1.29", "1.31", "1.33", "newest"])
def test_the_manifest_is_what_kubernetes_knows(version: str):
    kubernetes = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for thing in MANIFEST:
        kubernetes.validate(thing, kubernetes.latest_version() if version == "newest" else version, strict=True)


@pytest.mark.parametrize("pod", [pod for _, pod in PODS], ids=[name for name, _ in PODS])
def test_pods_may_do_little_and_have_what_they_need(pod: dict[str, Any]):
    (container,) = pod["containers"]
    check_command(container["args"])
    assert container["image"] == f"turnwise:{turnwise.__version__}"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/etc/turnwise", "/data", "/tmp"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize("pod", [pod for _, pod in PODS], ids=[name for name, _ in PODS])
def test_addresses_of_services_are_not_taken_for_settings(pod: dict[str, Any]):
    """A service of the name `turnwise` would give every pod the variable TURNWISE_PORT, with an address in it."""
    assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize(
    "pod", [pod for name, pod in PODS if "migrate" not in name], ids=[name for name, _ in PODS if "migrate" not in name]
)
def test_pods_are_asked_how_they_are_and_given_time_to_end(pod: dict[str, Any]):
    (container,) = pod["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {"http"}
    assert container["ports"] == [{"name": "http", "containerPort": 8787}]
    assert container["args"][0] == "api" or container["args"][1:] == ["--port", "8787"]
    *_, pause = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["0"])
    assert pod["terminationGracePeriodSeconds"] >= int(pause) + ENDING


def test_selectors_of_the_manifest_find_pods():
    labels = {thing["metadata"]["name"]: thing["spec"]["template"]["metadata"]["labels"] for thing in WORKLOADS}
    for thing in MANIFEST:
        name = thing["metadata"]["name"]
        if thing["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert thing["spec"]["selector"]["matchLabels"] == labels[name]
        if thing["kind"] == "Service":
            assert thing["spec"]["selector"] == labels["turnwise-api"]


def test_secrets_of_the_manifest_are_elsewhere():
    assert {thing["kind"] for thing in MANIFEST}.isdisjoint({"Secret"})
    for _, pod in PODS:
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "turnwise"}}]


def test_settings_of_the_manifest_can_be(tmp_path: Path):
    (settings,) = [thing["data"] for thing in MANIFEST if thing["kind"] == "ConfigMap"]
    file = tmp_path / "turnwise.toml"
    file.write_text(settings["turnwise.toml"])
    loaded = load_settings(file)
    build_catalogue(loaded)
    assert loaded.files.blobs_url is not None, "pods share no disk"
    for _, pod in PODS:
        assert {"name": "TURNWISE_CONFIG", "value": "/etc/turnwise/turnwise.toml"} in pod["containers"][0]["env"]


# -- the guide


SHOWN = [
    line
    for block in re.findall(r"^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith(("docker ", "kubectl "))
]


def test_the_guide_shows_commands_of_both():
    assert {line.split()[0] for line in SHOWN} == {"docker", "kubectl"}


@pytest.mark.parametrize("line", SHOWN)
def test_commands_of_the_guide_name_what_there_is(line: str):
    words = shlex.split(line, comments=True)
    if words[:2] == ["docker", "compose"] and "run" in words:
        service, *command = words[words.index("--rm") + 1 :]
        assert service in OURS
        check_command(command or OURS[service]["command"])
    if "turnwise" in words and words[0] == "kubectl" and "--" in words:
        check_command(words[words.index("turnwise", words.index("--")) + 1 :])
    names = {f"{thing['kind'].lower()}/{thing['metadata']['name']}" for thing in MANIFEST}
    named = [word for word in words if re.match(r"(deployment|job|service|configmap)/", word)]
    assert set(named) <= names
    scaled = re.findall(r"--scale (\w+)=", line)
    assert set(scaled) <= OURS.keys()
    files = [word for option, word in itertools.pairwise(words) if option in ("-f", "--filename")]
    assert all((ROOT / file).is_file() for file in files)
