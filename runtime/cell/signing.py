"""Signatures and keys made: on the ground, by who vouches for a package."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from runtime.cell.package_files import MANIFEST, read_parts
from runtime.cell.signature import SIGNATURE, TrustedKeys, ed25519, signed_bytes
from runtime.checked_table import checked_table, read_file
from runtime.errors import BadArgument, Corrupt
from runtime.whole_output import replacing, writing

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal input gives an equal file


def sign_package(path: Path, private_key: Path) -> str:
    """Put a signature into a package, folder or zip, that has none; the public key. Raises BadArgument or Corrupt."""
    key, parts = read_private_key(private_key), read_parts(path)
    if MANIFEST not in parts:
        raise Corrupt(f"package {path}: {MANIFEST} is missing")
    if SIGNATURE in parts:
        raise BadArgument(f"package {path} has {SIGNATURE} already, allowed a package that is not signed")
    public: str = key.public_key().public_bytes_raw().hex()
    text = f'{{"public_key": "{public}",\n "signature": "{key.sign(signed_bytes(parts[MANIFEST])).hex()}"}}\n'
    if path.is_dir():
        with replacing(path / SIGNATURE) as unfinished:
            unfinished.write_text(text)
        return public
    with replacing(path) as unfinished:
        shutil.copyfile(path, unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(zipfile.ZipInfo(SIGNATURE, ZIP_TIME), text)
    return public


def read_private_key(path: Path) -> Any:
    """A private key in PEM (PKCS 8), without a password. Raises BadArgument."""
    kind, text = ed25519().Ed25519PrivateKey, read_file(path, f"key {path}")
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text, None)
    except Exception:  # cryptography raises kinds of several libraries
        key = None
    if key is None or not isinstance(key, kind):
        raise BadArgument(f"key {path}: no private key of Ed25519 in PEM without a password")
    return key


def write_keys(prefix: Path, name: str) -> tuple[Path, Path]:
    """Make PREFIX.key, the private key, for its owner alone, and PREFIX.toml, a trust file. Raises BadArgument."""
    key = ed25519().Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives import serialization as forms

    pem = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public: str = key.public_key().public_bytes_raw().hex()
    private, trust = (prefix.with_name(prefix.name + ending) for ending in (".key", ".toml"))
    checked_table(TrustedKeys, {"keys": {name: public}}, "keys")
    for path, data, mode in ((private, pem, 0o600), (trust, f'[keys]\n"{name}" = "{public}"\n'.encode(), 0o644)):
        with writing(path), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return private, trust
