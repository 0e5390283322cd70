"""The tool that runs code: what a model and its user get of a call, what stays between calls, and which sandbox it has.

What code must not be able to do is in `test_code_execution_attacks.py`.
"""

import asyncio
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from support import until, within
from tools.sandboxes import KINDS, SMALL, sandbox
from turnwise.domain.errors import Unimplemented
from turnwise.domain.tools import CodeExecution
from turnwise.engine.schema import check_schema
from turnwise.tools.code_execution import tool as tool_file
from turnwise.tools.code_execution.process import as_text
from turnwise.tools.code_execution.sandbox import Broken
from turnwise.tools.code_execution.tool import Choice, CodeExecutionTool, OpenCodeExecution
from turnwise.tools.tool import Occasion, Outcome

OCCASION = Occasion("ann", (), path="tools[1]")
FIBONACCI = """
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a

print(fibonacci(50))
"""


class Turns:
    """Turns that are open, all of one tool."""

    def __init__(self, tool: CodeExecutionTool, stack: AsyncExitStack) -> None:
        self._tool = tool
        self._stack = stack

    async def open(self) -> OpenCodeExecution:
        return await self._stack.enter_async_context(self._tool.open(CodeExecution(), OCCASION))


async def run(opened: OpenCodeExecution, code: str) -> Outcome:
    """What came of a call."""
    return await within(opened.call("code_execution", {"code": code}))


@pytest.fixture(params=KINDS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[OpenCodeExecution]:
    """The tool, open, in each kind of sandbox in turn."""
    sandbox(request.param)
    async with CodeExecutionTool(request.param, SMALL).open(CodeExecution(), OCCASION) as opened:
        yield opened


@pytest.fixture
async def strong() -> AsyncIterator[OpenCodeExecution]:
    """The tool, open, in the sandbox in which Python itself runs."""
    sandbox("bubblewrap")
    async with CodeExecutionTool("bubblewrap", replace(SMALL, seconds=8, memory_mib=512)).open(
        CodeExecution(), OCCASION
    ) as opened:
        yield opened


# -- a call


async def test_a_model_is_offered_one_function_that_says_what_code_can_use(opened: OpenCodeExecution) -> None:
    [function] = opened.functions

    check_schema(function.parameters, "code_execution")
    assert function.name == "code_execution"
    assert function.parameters["required"] == ["code"]
    assert "There is no network" in function.description or "no network" in function.description
    assert "3 s and 256 MiB" in function.description
    assert (opened.tool, opened.is_demanded) == ("code_execution", False)


async def test_a_call_is_shown_as_python(opened: OpenCodeExecution) -> None:
    assert opened.shown("code_execution", {"code": "1"}) == ({"code": "1", "language": "python"}, {})


async def test_what_code_prints_is_its_result(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, FIBONACCI)

    assert (outcome.result, outcome.told, outcome.is_error) == ("12586269025", "12586269025", False)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("6 * 7", "42"),
        ("'text'", "'text'"),
        ("print('printed')\n6 * 7", "printed"),
        ("x = 6 * 7", ""),
        ("None", ""),
        ("", ""),
        ("print('')", ""),
        ("[n ** 2 for n in range(4)]", "[0, 1, 4, 9]"),
    ],
)
async def test_the_value_of_a_last_expression_is_printed_if_nothing_else_is(
    code: str, result: str, opened: OpenCodeExecution
) -> None:
    outcome = await run(opened, code)

    assert (outcome.result, outcome.is_error) == (result, False)


async def test_code_that_prints_nothing_is_told_as_such(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "x = 1")

    assert (outcome.result, outcome.told) == ("", "[The code ran and printed nothing.]")


async def test_errors_come_behind_what_was_printed(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "import sys\nprint('late', file=sys.stderr)\nprint('early')\n1 / 0")

    assert outcome.is_error
    lines = str(outcome.result).splitlines()
    assert lines[:3] == ["early", "late", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert outcome.told == outcome.result


async def test_an_error_begins_a_line(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "print('half a line', end='')\n1 / 0")

    assert str(outcome.result).startswith("half a line\nTraceback")


async def test_a_traceback_shows_the_code_and_nothing_of_ours(opened: OpenCodeExecution) -> None:
    await run(opened, "def half(n):\n    return n / 0")
    outcome = await run(opened, "half(3)")

    assert "return n / 0" in str(outcome.result)
    assert "half(3)" in str(outcome.result)
    assert "worker" not in str(outcome.result)


async def test_code_that_is_no_python_is_an_error_that_says_where(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "x = 1\nprint(x")

    assert outcome.is_error
    assert "SyntaxError" in str(outcome.result)
    assert "line 2" in str(outcome.result)


async def test_leaving_is_no_error_unless_it_says_so(strong: OpenCodeExecution) -> None:
    left = await run(strong, "print('done')\nexit_code = 0\nraise SystemExit")
    failed = await run(strong, "import sys\nsys.exit('no data')")

    assert (left.result, left.is_error) == ("done", False)
    assert (failed.result, failed.is_error) == ("SystemExit: no data", True)


async def test_code_finds_nobody_to_ask(strong: OpenCodeExecution) -> None:
    outcome = await run(strong, "input('Your name? ')")

    assert outcome.is_error
    assert "EOFError" in str(outcome.result)


async def test_code_that_is_too_long_is_not_run(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "1\n" * 200_000)

    assert outcome.is_error
    assert outcome.result == "The code was not run: it has more than 200000 characters."


# -- what stays


async def test_variables_stay_for_the_next_call(opened: OpenCodeExecution) -> None:
    await run(opened, "import math\nradius = 3\ndef area(r):\n    return math.pi * r * r")
    outcome = await run(opened, "round(area(radius), 3)")

    assert outcome.result == "28.274"


async def test_files_stay_for_the_next_call(opened: OpenCodeExecution) -> None:
    await run(opened, "with open('notes.txt', 'w') as file:\n    n = file.write('kept')")
    outcome = await run(opened, "print(open('notes.txt').read())")

    assert outcome.result == "kept"


async def test_a_call_after_an_error_finds_what_was_there(opened: OpenCodeExecution) -> None:
    await run(opened, "x = 1\n1 / 0")
    assert (await run(opened, "x")).result == "1"


@pytest.mark.parametrize("kind", KINDS)
async def test_turns_know_nothing_of_one_another(kind: Choice) -> None:
    sandbox(kind)
    async with AsyncExitStack() as stack:
        turns = Turns(CodeExecutionTool(kind, SMALL), stack)
        mine, yours = await turns.open(), await turns.open()
        await run(mine, "secret = 1\nwith open('secret.txt', 'w') as file:\n    n = file.write('x')")
        outcome = await run(yours, "print(secret)")
        listed = await run(yours, "import os\nos.listdir('.') if hasattr(os, 'listdir') else []")

    assert "NameError" in str(outcome.result)
    assert "secret.txt" not in str(listed.result)


async def test_calls_at_once_run_one_after_the_other(opened: OpenCodeExecution) -> None:
    await run(opened, "order = []")
    await asyncio.gather(*(run(opened, f"order.append({n})") for n in range(5)))

    assert (await run(opened, "sorted(order)")).result == "[0, 1, 2, 3, 4]"


async def test_code_that_takes_too_long_is_stopped_and_the_next_call_begins_anew(opened: OpenCodeExecution) -> None:
    await run(opened, "x = 1")
    stopped = await run(opened, "print('begun')\nwhile True: pass")
    after = await run(opened, "print('again')")
    then = await run(opened, "print('and again')")

    assert stopped.is_error
    assert stopped.result == (
        "begun\n[The code ran for more than 3 s and was stopped. The sandbox is gone, with its variables and files.]"
    )
    assert after.result == ("[This sandbox is a new one: the variables and files of earlier calls are lost.]\nagain")
    assert then.result == "and again"


async def test_code_that_takes_too_much_memory_is_told_so_and_loses_nothing(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "x = 1\ny = [0] * 10**9")

    assert outcome.is_error
    assert "MemoryError" in str(outcome.result)
    assert (await run(opened, "x")).result == "1"


async def test_a_sandbox_is_started_by_the_first_call_and_ended_with_the_turn() -> None:
    sandbox("monty")
    async with CodeExecutionTool("monty", SMALL).open(CodeExecution(), OCCASION) as opened:
        assert not workers()
        await run(opened, "1")
        assert len(workers()) == 1
    await until(lambda: not workers())


async def test_cancelling_a_call_ends_its_sandbox(opened: OpenCodeExecution) -> None:
    await run(opened, "x = 1")
    call = asyncio.create_task(run(opened, "while True: pass"))
    before = processor_ticks()
    await until(lambda: processor_ticks() > before + 20)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await until(lambda: not workers())
    assert not leftovers()


async def test_a_turn_may_be_closed_by_another_task() -> None:
    tool = CodeExecutionTool("monty", SMALL)
    opening = tool.open(CodeExecution(), OCCASION)
    opened = await asyncio.create_task(opening.__aenter__())
    await asyncio.create_task(run(opened, "1"))
    await asyncio.create_task(opening.__aexit__(None, None, None))

    await until(lambda: not leftovers())


async def test_no_more_sandboxes_than_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_file, "WAITING", 0.2)
    tool = CodeExecutionTool("monty", SMALL, at_once=1)
    async with tool.open(CodeExecution(), OCCASION) as second:
        async with tool.open(CodeExecution(), OCCASION) as first:
            await run(first, "1")
            refused = await run(second, "2")
        served = await run(second, "3")

    assert refused.is_error
    assert refused.result == "The code was not run: all sandboxes are in use. Try again in a minute."
    assert served.result == "3"


# -- files and figures


async def test_files_that_code_writes_are_handed_over(opened: OpenCodeExecution) -> None:
    outcome = await run(
        opened, "with open('table.csv', 'w') as file:\n    n = file.write('a,b\\n1,2\\n')\nprint('done')"
    )

    assert [(file.name, file.mime_type, file.data) for file in outcome.made] == [
        ("table.csv", "text/csv", b"a,b\n1,2\n")
    ]
    assert outcome.result == "done"
    assert outcome.told == "done\n[File handed over: table.csv, 8 bytes]"


async def test_a_file_is_handed_over_again_only_if_it_changed(opened: OpenCodeExecution) -> None:
    await run(opened, "with open('a.txt', 'w') as file:\n    n = file.write('a')")
    unchanged = await run(opened, "print(open('a.txt').read())")
    changed = await run(opened, "with open('a.txt', 'a') as file:\n    n = file.write('b')")

    assert not unchanged.made
    assert [file.data for file in changed.made] == [b"ab"]


async def test_a_file_in_a_folder_goes_by_its_own_name(strong: OpenCodeExecution) -> None:
    outcome = await run(strong, "import os\nos.makedirs('out/deep')\nopen('out/deep/a.json', 'w').write('{}')")

    assert [(file.name, file.mime_type) for file in outcome.made] == [("a.json", "application/json")]
    assert "[File handed over: out/deep/a.json, 2 bytes]" in str(outcome.told)


async def test_files_that_are_written_before_an_error_are_handed_over(opened: OpenCodeExecution) -> None:
    outcome = await run(opened, "with open('a.txt', 'w') as file:\n    n = file.write('a')\n1 / 0")

    assert outcome.is_error
    assert [file.name for file in outcome.made] == ["a.txt"]


async def test_what_code_puts_into_tmp_is_handed_over_too(strong: OpenCodeExecution) -> None:
    outcome = await run(strong, "open('/tmp/plot.svg', 'w').write('<svg/>')")

    assert [(file.name, file.mime_type) for file in outcome.made] == [("plot.svg", "image/svg+xml")]


async def test_results_that_are_too_many_are_told(strong: OpenCodeExecution) -> None:
    outcome = await run(strong, "for n in range(17): open(f'{n:02}.txt', 'w').close()")

    assert len(outcome.made) == 16
    assert str(outcome.told).endswith("[File not handed over, too large or one too many: 16.txt]")


def needs_matplotlib() -> None:
    """Skip the test where it is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("Matplotlib is not installed")


async def test_a_figure_that_is_left_open_is_handed_over_as_a_picture(strong: OpenCodeExecution) -> None:
    needs_matplotlib()
    outcome = await run(strong, "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nprint('drawn')")

    [figure] = outcome.made
    assert (figure.name, figure.mime_type, figure.data[:8]) == ("figure_1.png", "image/png", b"\x89PNG\r\n\x1a\n")
    assert (outcome.result, outcome.is_error) == ("drawn", False)


async def test_figures_that_are_shown_are_handed_over_each(strong: OpenCodeExecution) -> None:
    needs_matplotlib()
    code = "import matplotlib.pyplot as plt\nfor n in range(2):\n    plt.figure()\n    plt.plot([n])\n    plt.show()"
    first = await run(strong, code)
    second = await run(strong, "plt.bar(['a'], [1]); plt.show()")

    assert [file.name for file in first.made] == ["figure_1.png", "figure_2.png"]
    assert [file.name for file in second.made] == ["figure_3.png"]


async def test_a_figure_that_code_saves_is_handed_over_once(strong: OpenCodeExecution) -> None:
    needs_matplotlib()
    code = "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.savefig('mine.png')\nplt.show()"

    assert [file.name for file in (await run(strong, code)).made] == ["mine.png"]


async def test_libraries_compute(strong: OpenCodeExecution) -> None:
    needs_matplotlib()
    code = (
        "import numpy as np, pandas as pd\nfrom scipy import stats\n"
        "frame = pd.DataFrame({'x': [1, 2, 3, 4], 'y': [2, 4, 6, 8]})\n"
        "print(np.linalg.det(np.eye(3)), frame.y.sum(), round(stats.linregress(frame.x, frame.y).slope, 6))\n"
    )
    outcome = await run(strong, code)

    assert outcome.result == "1.0 20 2.0"


# -- which sandbox


async def test_where_there_is_no_bubblewrap_code_runs_in_monty(no_bubblewrap: None) -> None:
    tool = CodeExecutionTool("auto", SMALL)

    assert (await tool.choose()).name == "monty"
    assert (await tool.describe()).endswith(
        "; not bubblewrap: bubblewrap is not installed; run: apt-get install bubblewrap"
    )


async def test_where_there_is_bubblewrap_code_runs_in_it() -> None:
    sandbox("bubblewrap")
    tool = CodeExecutionTool("auto", SMALL)

    assert (await tool.choose()).name == "bubblewrap"
    assert (await tool.describe()).startswith("in bubblewrap: CPython 3.")


async def test_the_sandbox_that_is_set_and_cannot_be_is_refused_and_never_replaced(no_bubblewrap: None) -> None:
    with pytest.raises(Unimplemented) as refused:
        async with CodeExecutionTool("bubblewrap", SMALL).open(CodeExecution(), OCCASION):
            pass

    assert refused.value.message == (
        "tools[1].type: code_execution is set to run in the sandbox 'bubblewrap', which this machine does not have"
        " (bubblewrap is not installed; run: apt-get install bubblewrap); 'turnwise doctor' says more"
    )


WEAKENED = {
    "it can see the network": "given.remove('--unshare-net')",
    "/proc can be seen": "given[place:place] = ['--proc', '/proc']",
    "/etc/passwd can be read": "given[place:place] = ['--ro-bind', '/etc', '/etc']",
    "/opt can be written to": "end = given.index('--'); given[end - 2:end] = ['--chmod', '0777', '/opt']",
}


@pytest.mark.parametrize(("what", "change"), WEAKENED.items())
async def test_a_sandbox_that_does_not_hold_is_found_out(
    what: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox("bubblewrap")
    put_first(tmp_path, monkeypatch, change)

    with pytest.raises(Broken, match=what):
        await CodeExecutionTool("bubblewrap", SMALL).choose()


async def test_a_sandbox_that_does_not_hold_is_replaced_where_any_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox("bubblewrap")
    put_first(tmp_path, monkeypatch, WEAKENED["it can see the network"])

    assert (await CodeExecutionTool("auto", SMALL).choose()).name == "monty"
    assert "it can see the network" in caplog.text


def put_first(folder: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Put a `bwrap` before the real one that changes what it is told."""
    real = shutil.which("bwrap")
    program = folder / "bwrap"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\ngiven = sys.argv[1:]\n"
        f"place = given.index('--dev-bind')\n{change}\nos.execv({real!r}, [{real!r}, *given])\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def no_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))


# -- text


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        (b"plain\n", "plain"),
        (b"  indented\n", "  indented"),
        (b"10%\r50%\r100%\n", "10%\n50%\n100%"),
        (b"a\r\nb\tc", "a\nb\tc"),
        (b"\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07", "red link"),
        ("naïve — 日本 🎉".encode(), "naïve — 日本 🎉"),
        (b"\xff\x00", "\ufffd\ufffd"),
    ],
)
def test_what_is_printed_becomes_text(printed: bytes, text: str) -> None:
    assert as_text(printed) == text


# -- processes


def workers() -> list[int]:
    """The processes of sandboxes that this process has started."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for tasks in children for pid in tasks.read_text().split()]
    return [pid for pid in pids if b"inside.monty_worker" in command_of(pid) or b"inside.worker" in command_of(pid)]


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def leftovers() -> list[Path]:
    """Folders of sandboxes that were not removed."""
    return list(Path(tempfile.gettempdir()).glob("turnwise-code-*"))


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place for temporary files that no other test uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def descendants(pids: list[int]) -> list[int]:
    """Processes, and those that they started."""
    found = []
    for pid in pids:
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found += [pid, *descendants([int(child) for child in children])]
    return found


def processor_ticks() -> int:
    """How long the processes of sandboxes have worked so far, in hundredths of a second."""
    ticks = 0
    for pid in descendants(workers()):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks
