"""Board files: what they may say, and one line for what they may not."""

import importlib
import inspect
from pathlib import Path

import pytest

from hil_tests.board.board import load_board
from hil_tests.findings.limits import LIMITS
from hil_tests.places.place import REPOSITORY
from hil_tests.targets.local import LocalTarget
from hil_tests.targets.target_factory import CLASSES, make_target
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
    assert target.root == tmp_path / "there"


AMOUNT = "finite number at least 0"
SECONDS = "finite number above 0, at most 1e+06"
WRONG = [
    ('name = "a"\n', 'key transport: found nothing, allowed "labgrid", "local", "qemu", "ssh"'),
    (
        'name = "a"\ntransport = ["local"]\n',
        'key transport: found ["local"], allowed "labgrid", "local", "qemu", "ssh"',
    ),
    ('transport = "local"\n', "key name: found nothing, allowed letters, digits, '_', '.', '-'"),
    ('name = "../up"\ntransport = "local"\n', "key name: found \"../up\", allowed letters, digits, '_', '.', '-'"),
    ('name = "a\\n"\ntransport = "local"\n', "key name: found \"a\\n\", allowed letters, digits, '_', '.', '-'"),
    (SMALLEST + "label = 'guessed'\n", 'key label: found "guessed", allowed "emulated", "measured", "simulated"'),
    (SMALLEST + "stage = 'worst'\n", 'key stage: found "worst", allowed "", "best", "fast", "none"'),
    (SMALLEST + "segment_lines = true\n", "key segment_lines: found true, allowed int at least 1"),
    (SMALLEST + "segment_lines = 4.0\n", "key segment_lines: found 4.0, allowed int at least 1"),
    (SMALLEST + "soak_minutes = inf\n", f"key soak_minutes: found Infinity, allowed {AMOUNT}"),
    (SMALLEST + "soak_minutes = nan\n", f"key soak_minutes: found NaN, allowed {AMOUNT}"),
    (SMALLEST + "processors = ['0']\n", 'key processors[0]: found "0", allowed int at least 0'),
    (SMALLEST + "processors = [0, -1]\n", "key processors[1]: found -1, allowed int at least 0"),
    (SMALLEST + "faults = 'link-cut'\n", 'key faults: found "link-cut", allowed list of text'),
    (SMALLEST + "line_seconds = 0\n", f"key line_seconds: found 0, allowed {SECONDS}"),
    (
        SMALLEST + "line_seconds = 1e300\n",
        f"key line_seconds: found 1e+300, allowed {SECONDS}",
    ),
    (SMALLEST + "[limits]\nspeed = 1\n", f"key limits.speed: not known, allowed {', '.join(LIMITS)}"),
    (SMALLEST + "[limits]\npeak_mib = '1'\n", 'key limits.peak_mib: found "1", allowed finite number at least 0'),
    (SMALLEST + "[scene]\nlines = 1.5\n", "key scene.lines: found 1.5, allowed int at least 0"),
    (SMALLEST + "[scene]\nlins = 1\n", "key scene.lins: not known, allowed name, lines, bands, columns, short_lines"),
    (SMALLEST + "scene = [1]\n", "key scene: found [1], allowed table"),
    (
        SMALLEST + "[[imager]]\n",
        f"key imager[0].lines_per_s: found nothing, allowed {SECONDS}",
    ),
    (
        SMALLEST + "[[imager]]\nlines_per_s = 1\n[[imager]]\nlines_per_s = 1\nduty_cycle = 2\n",
        "key imager[1].duty_cycle: found 2, allowed finite number above 0, at most 1",
    ),
    (SMALLEST + "imager = 1\n", "key imager: found 1, allowed list of table"),
    (SMALLEST + "meters = ['rapl']\n", 'key meters[0]: found "rapl", allowed table'),
    (SMALLEST + "local = 1\n", "key local: found 1, allowed table"),
    (
        SMALLEST + f"soak_minutes = {'9' * 400}\n",
        f"key soak_minutes: found an int of 1329 bits, allowed {AMOUNT}",
    ),
    (
        SMALLEST + f"soak_minutes = 0x{'f' * 5000}\n",
        f"key soak_minutes: found an int of 20000 bits, allowed {AMOUNT}",
    ),
    (
        SMALLEST + f"[limits]\npeak_mib = {'9' * 20}\n",
        "key limits.peak_mib: found an int of 67 bits, allowed int of 64 bits",
    ),
    (SMALLEST + 'python = "\\u0000"\n', 'key python: found "\\u0000", allowed text without zero bytes'),
    (
        SMALLEST + '[local]\nfolder = "a\\u0000"\n',
        'key local.folder: found "a\\u0000", allowed text without zero bytes',
    ),
    (SMALLEST + "variables = {'A=B' = '1'}\n", 'key variables."A=B": found "A=B", allowed letters, digits, \'_\''),
    (SMALLEST + "variables = {A = 1}\n", "key variables.A: found 1, allowed text"),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_a_wrong_board_is_one_line_with_file_key_and_what_is_allowed(tmp_path: Path, text: str, line: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadArgument) as caught:
        load_board(path)
    assert str(caught.value) == f"board file {path}: {line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SMALLEST + "colour = 3\n", "key colour: not known, allowed name, transport, label, "),
        (SMALLEST + "path = 'x'\n", "key path: not known, allowed name, "),
        (SMALLEST + "options = {}\n", "key options: not known, allowed name, "),
        (SMALLEST + '"two\\nlines" = 3\n', 'key "two\\nlines": not known, allowed name, '),
        (SMALLEST + "[ssh]\nhost = 'x'\n", "key ssh: not known, allowed name, "),
        ("name = [", "not TOML: "),
        (SMALLEST + f"segment_lines = {'9' * 5000}\n", "not TOML: "),
        ("a = " + "[" * 5000, "not TOML: "),
    ],
)
def test_unknown_keys_and_what_is_no_toml_are_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadArgument) as caught:
        load_board(path)
    assert str(caught.value).startswith(f"board file {path}: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("transport", "text", "line"),
    [
        ("local", "host = 'x'\n", "key local.host: not known, allowed folder"),
        ("local", "folder = 3\n", "key local.folder: found 3, allowed path"),
        ("local", "folder = ''\n", 'key local.folder: found "", allowed path'),
        ("ssh", "host = 3\n", "key ssh.host: found 3, allowed text"),
        ("ssh", "port = 22\n", "key ssh.host: found nothing, allowed text"),
        ("ssh", "host = ''\n", "desk: host is '', allowed a name or an address"),
        (
            "ssh",
            "host = '-oProxyCommand=reboot'\n",
            "desk: host is '-oProxyCommand=reboot', allowed a name or an address",
        ),
        ("ssh", "host = 'x'\nport = 0\n", "key ssh.port: found 0, allowed int at least 1, at most 65535"),
        ("ssh", "host = 'x'\nport = 65536\n", "key ssh.port: found 65536, allowed int at least 1, at most 65535"),
        (
            "ssh",
            "host = 'x'\nfolder = '~/here'\n",
            "desk: folder is '~/here', allowed a path from / or from the user's home",
        ),
        ("ssh", "host = 'x'\nssh = []\n", "'' is not installed on this machine: apt-get install openssh-client"),
        ("ssh", "host = 'x'\nssh = 'ssh'\n", 'key ssh.ssh: found "ssh", allowed list of text'),
        ("ssh", "host = 'x'\nsites = [3]\n", "key ssh.sites[0]: found 3, allowed text"),
        ("ssh", "host = 'x'\nkey = 3\n", "key ssh.key: found 3, allowed path or null"),
        (
            "ssh",
            "host = 'x'\nconnect_seconds = inf\n",
            "key ssh.connect_seconds: found Infinity, allowed finite number",
        ),
        (
            "ssh",
            "host = 'x'\nconnect_seconds = 0\n",
            f"key ssh.connect_seconds: found 0, allowed {SECONDS}",
        ),
    ],
)
def test_a_target_refuses_options_that_it_does_not_take(tmp_path: Path, transport: str, text: str, line: str) -> None:
    path = written(tmp_path, f'name = "desk"\ntransport = "{transport}"\n[{transport}]\n{text}')
    with pytest.raises(BadArgument) as caught:
        make_target(load_board(path), tmp_path)
    assert str(caught.value) == f"board file {path}: {line}"


@pytest.mark.parametrize("transport", CLASSES)
def test_no_transport_ignores_processors_or_variables(transport: str) -> None:
    module, name = CLASSES[transport]
    taken = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert {"processors", "variables"} <= set(taken)


def test_a_board_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"board file .*none.toml: No such file"):
        load_board(tmp_path / "none.toml")
