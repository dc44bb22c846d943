"""Board files: what they may say, and one line for what they may not."""

import importlib
import inspect
from pathlib import Path

import pytest

from hil_tests.board.board import load_board
from hil_tests.findings.limits import LIMITS
from hil_tests.places.place import REPOSITORY
from hil_tests.targets.local import LocalTarget
from hil_tests.targets.making import CLASSES, make_target
from runtime.errors import BadArgument

BOARDS = sorted((REPOSITORY / "hil_tests" / "boards").glob("*.toml"))
SMALLEST = 'name = "desk"\ntransport = "local"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "board.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_the_boards_of_the_repository_are_sound(path: Path) -> None:
    board = load_board(path)
    assert board.name == path.stem
    assert board.limits


def test_a_board_needs_a_name_and_a_transport_only(tmp_path: Path) -> None:
    board = load_board(written(tmp_path, SMALLEST))
    assert (board.label, board.executor_words, board.limits, board.imager) == ("measured", "onnxruntime", {}, [])


def test_every_key_arrives(tmp_path: Path) -> None:
    limits = "".join(f"{name} = {value}\n" for value, name in enumerate(LIMITS, 1))
    text = SMALLEST + (
        'provider = "QNN"\nprovider_options = {backend_type = "htp"}\nprocessors = [0, 1]\nsoak_minutes = 1\n'
        f'faults = ["link-cut"]\n[limits]\n{limits}[scene]\nlines = 8\n[local]\nfolder = "there"\n'
        '[[meters]]\nkind = "rapl"\n[[imager]]\nlines_per_s = 230\n[[imager]]\nlines_per_s = 10\nduty_cycle = 0.5\n'
    )
    board = load_board(written(tmp_path, text))
    assert board.executor_words == "onnxruntime:QNN,backend_type=htp"
    assert board.processors == [0, 1]
    assert list(board.limits.values()) == [float(value) for value in range(1, len(LIMITS) + 1)]
    assert [imager.duty_cycle for imager in board.imager] == [1.0, 0.5]
    assert board.meters == [{"kind": "rapl"}]
    assert board.step_names[-2:] == ["energy", "fault link-cut"]
    target = make_target(board, tmp_path / "beside")
    assert isinstance(target, LocalTarget)
    assert target.here == tmp_path / "there"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = [", "not TOML"),
        ('name = "a"\n', "transport is None, allowed local, ssh, qemu, labgrid"),
        ('transport = "local"\n', "key 'name' is missing"),
        ('name = "../up"\ntransport = "local"\n', "name is '../up', allowed letters"),
        (SMALLEST + "colour = 3\n", "key 'colour' is not known, allowed name, "),
        (SMALLEST + "path = 'x'\n", "key 'path' is not known"),
        (SMALLEST + "label = 'guessed'\n", "label is 'guessed', allowed measured, emulated, simulated"),
        (SMALLEST + "stage = 'worst'\n", "stage is 'worst', allowed none, fast, best"),
        (SMALLEST + "segment_lines = true\n", "segment_lines is True, allowed a whole number"),
        (SMALLEST + "soak_minutes = inf\n", "soak_minutes is inf, allowed a finite number"),
        (SMALLEST + "processors = ['0']\n", "processors[0] is '0', allowed a whole number"),
        (SMALLEST + "processors = [-1]\n", "processors is -1, allowed at least 0"),
        (SMALLEST + "line_seconds = 0\n", "line_seconds is 0, allowed more than 0"),
        (SMALLEST + "[limits]\nspeed = 1\n", "limits.speed is not known, allowed msamples_per_s_encode, "),
        (SMALLEST + "[limits]\npeak_mib = '1'\n", "limits.peak_mib is '1', allowed a finite number"),
        (SMALLEST + "[scene]\nlines = 1.5\n", "[scene]: lines is 1.5, allowed a whole number"),
        (SMALLEST + "[[imager]]\n", "[[imager]]: key 'lines_per_s' is missing"),
        (SMALLEST + "[[imager]]\nlines_per_s = 1\nduty_cycle = 2\n", "imager.duty_cycle is 2, allowed 1 at most"),
        (SMALLEST + "imager = 1\n", "imager is 1, allowed tables [[imager]]"),
        (SMALLEST + "local = 1\n", "local is 1, allowed a table"),
        (SMALLEST + "[ssh]\nhost = 'x'\n", "key 'ssh' is not known"),
        (SMALLEST + f"segment_lines = {'9' * 5000}\n", "not TOML: "),
        (SMALLEST + f"soak_minutes = {'9' * 400}\n", "a whole number of 400 digits, allowed 64 bits"),
        (SMALLEST + f"[limits]\npeak_mib = -{'9' * 20}\n", "a whole number of 20 digits, allowed 64 bits"),
        ("a = " + "[" * 5000, "not TOML: "),
        (SMALLEST + 'python = "\\u0000"\n', "a text with a zero byte"),
        (SMALLEST + '[local]\nfolder = "a\\u0000"\n', "a text with a zero byte"),
        (SMALLEST + "line_seconds = 1e300\n", "line_seconds is 1e+300, allowed 1e+06 at most"),
        (SMALLEST + "variables = {'A=B' = '1'}\n", "variables: name is 'A=B', allowed letters, digits, '_'"),
    ],
)
def test_a_wrong_board_is_one_line_that_names_key_and_file(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadArgument) as caught:
        load_board(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("transport", "text", "words"),
    [
        ("local", "host = 'x'\n", "[local]: key 'host' is not known, allowed folder"),
        ("local", "folder = 3\n", "[local]: folder is 3, allowed a path"),
        ("local", "folder = ''\n", "[local]: folder is '', allowed a path"),
        ("ssh", "host = 3\n", "[ssh]: host is 3, allowed str"),
        ("ssh", "host = ''\n", "host is '', allowed a name or an address"),
        ("ssh", "host = '-oProxyCommand=reboot'\n", "host is '-oProxyCommand=reboot', allowed a name or an address"),
        ("ssh", "host = 'x'\nport = 0\n", "port is 0, allowed 1..65535"),
        ("ssh", "host = 'x'\nport = 65536\n", "port is 65536, allowed 1..65535"),
        ("ssh", "host = 'x'\nfolder = '~/here'\n", "folder is '~/here', allowed a path from / or"),
        ("ssh", "host = 'x'\nssh = []\n", "'' is not installed on this machine"),
        ("ssh", "host = 'x'\nssh = 'ssh'\n", "[ssh]: ssh is 'ssh', allowed a list of texts"),
        ("ssh", "host = 'x'\nsites = [3]\n", "[ssh]: sites is [3], allowed a list of texts"),
        (
            "ssh",
            "host = 'x'\nconnect_seconds = inf\n",
            "[ssh]: connect_seconds is inf, allowed more than 0, 1e+06 at most",
        ),
        ("ssh", "host = 'x'\nconnect_seconds = 0\n", "[ssh]: connect_seconds is 0, allowed more than 0, 1e+06 at most"),
    ],
)
def test_a_target_refuses_options_that_it_does_not_take(tmp_path: Path, transport: str, text: str, words: str) -> None:
    board = load_board(written(tmp_path, f'name = "desk"\ntransport = "{transport}"\n[{transport}]\n{text}'))
    with pytest.raises(BadArgument) as caught:
        make_target(board, tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize("transport", CLASSES)
def test_no_transport_ignores_processors_or_variables(transport: str) -> None:
    module, name = CLASSES[transport]
    taken = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert {"processors", "variables"} <= set(taken)


def test_a_board_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"board file .*none.toml: No such file"):
        load_board(tmp_path / "none.toml")
