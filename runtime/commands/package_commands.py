"""The verbs that test a flight package on this machine, those that keep packages, and those that sign one."""

import json
import sys
from pathlib import Path

import click

from runtime.command_options import EXIT_CHECK_FAILED, json_option, package_option, trust_option


@click.command()
@click.argument("package_path", metavar="[PACKAGE]", type=click.Path(path_type=Path), required=False)
@click.option("--executor", help="Only this one; default: all that are installed.")
@trust_option
@json_option
def verify(package_path: Path | None, executor: str | None, trust: Path | None, as_json: bool) -> None:
    """Show which executors here reproduce an int8 package bit for bit; exit code 1 where one does not.

    An executor that is not here does not count, unless it is the one asked for.
    """
    from runtime.cell.flight_package import SHIPPED, open_integer_package
    from runtime.executors.verify import verdicts

    package = open_integer_package(package_path or SHIPPED, trust)
    rows = []
    for row in verdicts(package, executor):
        rows.append(row)
        if not as_json:
            rate = f"{row.msamples_per_s:7.3f}" if row.msamples_per_s is not None else "      -"
            click.echo(f"{row.executor:44} {row.setting:36} tile {row.tile:4} {rate} Msamples/s  {row.finding}")
    if as_json:
        click.echo(json.dumps({"package": package.sha256.hex(), "rows": [row.to_dict() for row in rows]}))
    if any(row.is_equal is False or (executor and not row.is_equal) for row in rows):
        sys.exit(EXIT_CHECK_FAILED)


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default=Path("demo_output"), show_default=True)
@click.option("--lines", type=click.IntRange(2), default=64, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@package_option
@trust_option
@click.option("--all", "is_all", is_flag=True, help="The stage `fast`, too: half a minute more to compile.")
@json_option
def demo(
    output: Path, lines: int, seed: int, package_path: Path | None, trust: Path | None, is_all: bool, as_json: bool
) -> None:
    """Compress and restore a synthetic pushbroom scene by every form, compare, time, and write a picture."""
    from runtime.cell.flight_package import SHIPPED, open_package
    from runtime.commands.demo import run_demo

    package = open_package(package_path or SHIPPED, trust)
    rows = run_demo(output, n_lines=lines, seed=seed, package=package, is_all=is_all)
    if as_json:
        click.echo(json.dumps(rows))


@click.group()
def package() -> None:
    """Keep flight packages by their hash; sign them, and show who signed one (needs linerwkv[sign])."""


@package.command()
@click.argument("prefix", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the key's owner, as trust files and errors say it.")
def keys(prefix: Path, name: str) -> None:
    """Make a pair of keys: PREFIX.key, which is private, and PREFIX.toml, a trust file with the public one."""
    from runtime.cell.signing import write_keys

    private, trust = write_keys(prefix, name)
    click.echo(f"{private}: private key, keep it; {trust}: trust file")


@package.command()
@click.argument("package_path", metavar="PACKAGE", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Private key, of `linerwkv package keys`.")
def sign(package_path: Path, key: Path) -> None:
    """Put a signature into PACKAGE, a sound folder or zip that has none."""
    from runtime.cell.flight_package import open_package
    from runtime.cell.signing import sign_package

    found = open_package(package_path)
    public = sign_package(package_path, key)
    click.echo(f"{package_path}: package {found.sha256.hex()[:12]}... is signed by the key {public[:16]}...")


@package.command("verify")
@click.argument("package_path", metavar="PACKAGE", type=click.Path(path_type=Path))
@click.option("--trust", required=True, type=click.Path(path_type=Path), help="File of public keys.")
def verify_signature(package_path: Path, trust: Path) -> None:
    """Say which trusted key signed PACKAGE; exit code 2 where none did."""
    from runtime.cell.flight_package import open_package

    found = open_package(package_path, trust)
    click.echo(f"{found.source}: package {found.sha256.hex()[:12]}... is signed by {found.signer}")


store_option = click.option("--store", help="A folder, or a URL by fsspec; default: the first of LINERWKV_PACKAGES.")


@package.command("list")
@json_option
def list_packages(as_json: bool) -> None:
    """Print hash and place of the packages that are shipped or in a store."""
    from runtime.cell.package_store import listed

    rows = [{"sha256": name, "place": place} for name, place in listed()]
    click.echo(json.dumps(rows) if as_json else "\n".join(f"{row['sha256']}  {row['place']}" for row in rows))


@package.command()
@click.argument("package_path", metavar="PACKAGE", type=click.Path(path_type=Path))
@store_option
def add(package_path: Path, store: str | None) -> None:
    """Put PACKAGE into a store, where every command finds it when a stream names it."""
    from runtime.cell.package_store import add_package

    click.echo(add_package(package_path, store))


@package.command()
@click.argument("digits", metavar="HASH")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A name ending in .zip.")
def get(digits: str, output: Path) -> None:
    """Write the package whose HASH begins so, at least 8 digits, as one zip."""
    from runtime.cell.package_store import named_package, zipped
    from runtime.output_checks import check_outputs, files_of
    from runtime.whole_output import replacing

    found = named_package(digits)
    check_outputs([output], files_of(found.source))
    with replacing(output) as unfinished:
        unfinished.write_bytes(zipped(found.source))
    click.echo(f"{output}: package {found.sha256.hex()}")
