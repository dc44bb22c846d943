"""A trust file refuses what none of its keys signed, before anything else of the package is read."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runtime.cell.flight_package import open_integer_package, open_package
from runtime.cell.signature import SIGNATURE, read_trust
from runtime.cell.signing import read_private_key, sign_package, write_keys
from runtime.commands.cli import cli
from runtime.errors import BadArgument, Corrupt, LineRwkvError
from tests.runtime.cell.package_parts import manifest_of, sealed, shipped_parts


def write(folder: Path, parts: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A copy of the shipped package, signed by the key of `ground.key`, which `ground.toml` trusts."""
    private, _ = write_keys(tmp_path / "ground", "ground segment")
    package = write(tmp_path / "package", shipped_parts())
    sign_package(package, private)
    return package


def test_keys_are_the_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    private, trust = write_keys(tmp_path / "ground", "ground segment")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert list(read_trust(trust).keys) == ["ground segment"]
    before = private.read_bytes()
    with pytest.raises(BadArgument, match="cannot be written"):
        write_keys(tmp_path / "ground", "ground segment")
    assert private.read_bytes() == before
    with pytest.raises(BadArgument, match="keys"):
        write_keys(tmp_path / "other", 'a"\nb')
    assert not (tmp_path / "other.key").exists()


def test_a_signed_package_is_opened_and_says_by_whom(signed: Path, tmp_path: Path) -> None:
    found = open_package(signed, tmp_path / "ground.toml")
    assert found.signer == "ground segment"
    assert open_package(signed).signer is None
    assert found.sha256 == open_package(signed).sha256
    assert SIGNATURE not in found.parts
    assert open_integer_package(signed, tmp_path / "ground.toml").signer == "ground segment"


def test_a_zip_is_signed_as_a_folder_is(tmp_path: Path) -> None:
    private, trust = write_keys(tmp_path / "ground", "g")
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in shipped_parts().items():
            archive.writestr(name, data)
    sign_package(path, private)
    assert open_package(path, trust).signer == "g"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    with pytest.raises(BadArgument, match=r"signature\.json already"):
        sign_package(path, private)


def test_what_is_unsigned_or_of_another_key_is_refused(signed: Path, tmp_path: Path) -> None:
    write_keys(tmp_path / "other", "other")
    with pytest.raises(BadArgument, match=r"is signed by the key [0-9a-f]{16}\.\.\., allowed a signature by other"):
        open_package(signed, tmp_path / "other.toml")
    (signed / SIGNATURE).unlink()
    with pytest.raises(BadArgument, match="is not signed, allowed a signature by ground segment"):
        open_package(signed, tmp_path / "ground.toml")
    with pytest.raises(BadArgument, match="is not signed"):
        open_package(Path("flight"), tmp_path / "ground.toml")


def test_a_signature_is_of_one_manifest(signed: Path, tmp_path: Path) -> None:
    """Another sound package with the signature of this one is refused, and so is a part with a wrong bit."""
    manifest = manifest_of(shipped_parts())
    manifest["name"] = "other"
    other = write(tmp_path / "forged", sealed(shipped_parts(), manifest))
    (other / SIGNATURE).write_bytes((signed / SIGNATURE).read_bytes())
    open_package(other)
    with pytest.raises(Corrupt, match=r"the signature of ground segment is not of this manifest\.json"):
        open_package(other, tmp_path / "ground.toml")
    weights = bytearray((signed / "weights.bin").read_bytes())
    weights[7] ^= 1
    (signed / "weights.bin").write_bytes(weights)
    with pytest.raises(Corrupt, match=r"part weights\.bin has sha256"):
        open_package(signed, tmp_path / "ground.toml")


def test_no_value_of_an_untrusted_manifest_is_read(signed: Path, tmp_path: Path) -> None:
    (signed / "manifest.json").write_text("[" * 10)
    with pytest.raises(Corrupt, match="signature of ground segment is not of this"):
        open_package(signed, tmp_path / "ground.toml")


def test_every_flipped_bit_of_a_signature_is_refused(signed: Path, tmp_path: Path) -> None:
    whole = (signed / SIGNATURE).read_bytes()
    digits = [place for place, byte in enumerate(whole) if chr(byte) in "0123456789abcdef"]
    for place in digits[::3]:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        (signed / SIGNATURE).write_bytes(damaged)
        with pytest.raises(LineRwkvError):
            open_package(signed, tmp_path / "ground.toml")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"public_key": 1, "signature": 2}', "[" * 100_000, "{" + " " * 10_000 + "}", "\xff"],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_a_signature_that_is_none_is_one_line(text: str, signed: Path, tmp_path: Path) -> None:
    (signed / SIGNATURE).write_text(text, "latin-1")
    with pytest.raises(BadArgument, match=r"signature\.json") as found:
        open_package(signed, tmp_path / "ground.toml")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "text", ["", "[keys]\n", '[keys]\nx = "0"\n', "keys = 3\n", '[keys]\nx = 5\n', '[other]\nx = "0"\n',
             '[keys]\n"a\\nb" = "' + "0" * 64 + '"\n'],
)  # fmt: skip
def test_a_trust_file_that_trusts_nobody_is_one_line(text: str, signed: Path, tmp_path: Path) -> None:
    (tmp_path / "trust.toml").write_text(text)
    with pytest.raises(BadArgument, match=r"trust file .*keys") as found:
        open_package(signed, tmp_path / "trust.toml")
    assert "\n" not in str(found.value)


def test_a_key_that_is_none_is_one_line(tmp_path: Path) -> None:
    for text in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff" * 100):
        (tmp_path / "x.key").write_bytes(text)
        with pytest.raises(BadArgument, match="no private key of Ed25519"):
            read_private_key(tmp_path / "x.key")
    with pytest.raises(BadArgument, match="No such file"):
        read_private_key(tmp_path / "nowhere")


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_verbs_make_sign_and_verify(tmp_path: Path) -> None:
    package = write(tmp_path / "package", shipped_parts())
    assert run("package", "keys", tmp_path / "ops", "--name", "ops").exit_code == 0
    done = run("package", "sign", package, "--key", tmp_path / "ops.key")
    assert done.exit_code == 0 and "is signed by the key" in done.output
    done = run("package", "verify", package, "--trust", tmp_path / "ops.toml")
    assert done.exit_code == 0 and done.output.strip().endswith("is signed by ops")
    assert json.loads((package / SIGNATURE).read_text())["public_key"] in (tmp_path / "ops.toml").read_text()
    failed = run("package", "sign", "flight", "--key", tmp_path / "ops.key")
    assert isinstance(failed.exception, BadArgument) and "package flight not found" in str(failed.exception)
    failed = run("package", "verify", "flight", "--trust", tmp_path / "ops.toml")
    assert isinstance(failed.exception, BadArgument)


def test_verbs_that_run_a_package_refuse_what_is_not_trusted(tmp_path: Path) -> None:
    _, trust = write_keys(tmp_path / "ops", "ops")
    (tmp_path / "s.hdr").write_text(
        "ENVI\nsamples = 4\nlines = 2\nbands = 2\nheader offset = 0\ndata type = 12\ninterleave = bil\nbyte order = 0\n"
    )
    (tmp_path / "s.img").write_bytes(bytes(32))
    stream, image, board = tmp_path / "s.lrwk", tmp_path / "s.hdr", tmp_path / "board.toml"
    board.write_text('name = "desk"\ntransport = "local"\n')
    untrusted = tmp_path / "untrusted.lrwk"
    assert run("compress", image, untrusted, "--stage", "none").exit_code == 0
    for words in (
        ["compress", image, stream, "--trust", trust], ["verify", "--trust", trust],
        ["decompress", untrusted, tmp_path / "o.hdr", "--trust", trust],
        ["demo", "--output", tmp_path / "demo", "--trust", trust],
        ["hil", "run", "--board", board, "--output", tmp_path / "hil", "--trust", trust],
    ):  # fmt: skip
        failed = run(*words)
        assert isinstance(failed.exception, BadArgument) and "is not signed" in str(failed.exception), words
    assert not stream.exists()
    package = write(tmp_path / "package", shipped_parts())
    sign_package(package, tmp_path / "ops.key")
    assert run("compress", image, stream, "--stage", "none", "--trust", trust, "--package", package).exit_code == 0
    done = run("decompress", stream, tmp_path / "o.hdr", "--trust", trust, "--package", package)
    assert done.exit_code == 0, done.exception
    (data,) = (file for file in tmp_path.glob("o.*") if file.suffix != ".hdr")
    assert data.read_bytes() == bytes(32)
