"""Who vouches for a package: an Ed25519 signature beside the manifest, held against a file of trusted public keys.

What is signed is a fixed text and the SHA-256 of the manifest, which names the SHA-256 of every file that is used. It
knows no time and no revocation (docs/threats.md). The library `cryptography` is loaded only for a trust file.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from runtime.cell.package_files import MANIFEST
from runtime.checked_table import checked_table, json_table, read_toml
from runtime.errors import BadArgument, Corrupt
from runtime.extras import needed_for

SIGNATURE = "signature.json"
SIGNED_TEXT = b"linerwkv flight package\n"
LARGEST_SIGNATURE_BYTES = 1 << 12
PublicKey = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Ed25519 public key in 64 digits 0..9, a..f")]
KeyName = Annotated[str, Meta(pattern=r"^[\w.@-][\w .@-]{0,99}$", description="name of one line")]


@dataclass(frozen=True)
class TrustedKeys:
    """A trust file."""

    keys: Annotated[dict[KeyName, PublicKey], Meta(min_length=1)]
    """Public keys by the names of their owners."""


@dataclass(frozen=True)
class Signature:
    """The file SIGNATURE of a package."""

    public_key: PublicKey
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$", description="Ed25519 signature in 128 digits 0..9, a..f")]


def ed25519() -> Any:
    """The module of `cryptography`. Raises BadArgument where it is not installed."""
    with needed_for("a signature", "sign"):
        from cryptography.hazmat.primitives.asymmetric import ed25519 as module
    return module


def read_trust(path: Path) -> TrustedKeys:
    """A trust file in TOML: `[keys]`, then a line `NAME = "64 digits"` for each key. Raises BadArgument."""
    return checked_table(TrustedKeys, read_toml(path, f"trust file {path}"), f"trust file {path}")


def signed_bytes(manifest: bytes) -> bytes:
    """What a key signs of a manifest."""
    return SIGNED_TEXT + hashlib.sha256(manifest).digest()


def signer_of(path: Path, parts: dict[str, bytes], trusted: TrustedKeys) -> str:
    """Name of the trusted key that signed the package at `path`, which has these files. Raises BadArgument, Corrupt."""
    if MANIFEST not in parts:
        raise Corrupt(f"package {path}: {MANIFEST} is missing")
    allowed = f"allowed a signature by {', '.join(trusted.keys)}"
    if SIGNATURE not in parts:
        raise BadArgument(f"package {path} is not signed, {allowed}")
    found = read_signature(path, parts[SIGNATURE])
    name = next((name for name, key in trusted.keys.items() if key == found.public_key), None)
    if name is None:
        raise BadArgument(f"package {path} is signed by the key {found.public_key[:16]}..., {allowed}")
    module = ed25519()
    from cryptography.exceptions import InvalidSignature

    try:
        key = module.Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.public_key))
        key.verify(bytes.fromhex(found.signature), signed_bytes(parts[MANIFEST]))
    except (InvalidSignature, ValueError):
        raise Corrupt(f"package {path}: the signature of {name} is not of this {MANIFEST}") from None
    return name


def read_signature(path: Path, text: bytes) -> Signature:
    """The signature of the package at `path`. Raises BadArgument."""
    where = f"package {path}: {SIGNATURE}"
    if len(text) > LARGEST_SIGNATURE_BYTES:
        raise BadArgument(f"{where}: {len(text)} bytes, allowed {LARGEST_SIGNATURE_BYTES}")
    return checked_table(Signature, json_table(text.decode(errors="replace"), where), where)
