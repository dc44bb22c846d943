"""Debian packages of any architecture, unpacked into a folder by this machine's apt and dpkg-deb.

apt runs on lists, a status file and an archive folder of its own, so it needs no administrator rights and changes
nothing of this machine. Packages are checked by Debian's signature. The release is fixed: its Python is 3.11, and its
QEMU (7.2) is the one that the emulated processors were tried with.
"""

from pathlib import Path

from hil_tests.places.tool import SetupFailed, run_tool

RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "usr/share/keyrings/debian-archive-keyring.gpg"

# Hooks and lists of the machine's own apt configuration are cleared; its proxy settings are kept.
CONFIGURATION = """
#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Debug::NoLocking "true";
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
"""
SOURCES_OF_ITS_OWN = """
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""


class Apt:
    """The machine's apt in a folder of its own, for one architecture; keyring None: the machine's own sources."""

    def __init__(self, folder: Path, architecture: str, keyring: Path | None, release: str = RELEASE) -> None:
        self.folder = folder.resolve()
        for name in ("lists/partial", "archives/partial", "downloads"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        text = CONFIGURATION
        if keyring is not None:
            text += SOURCES_OF_ITS_OWN
            (self.folder / "sources.list").write_text(f"deb [signed-by={keyring.resolve()}] {MIRROR} {release} main\n")
        self.configuration = self.folder / "apt.conf"
        self.configuration.write_text(text.format(architecture=architecture, folder=self.folder))
        self.run("update")

    def run(self, *arguments: str) -> None:
        """Run apt-get. Raises SetupFailed or NotAvailable."""
        run_tool(["apt-get", "-c", self.configuration, "-q", "-y", *arguments], folder=self.folder / "downloads")

    def unpack(self, package: str, root: Path) -> None:
        """Unpack one package, without what it depends on."""
        self.run("download", package)
        unpack_all(self.folder / "downloads", root)

    def unpack_with_dependencies(self, packages: tuple[str, ...], root: Path) -> None:
        """Unpack packages and all that they depend on; their installation scripts are not run."""
        self.run("install", "--download-only", *packages)
        unpack_all(self.folder / "archives", root)


def unpack_all(downloads: Path, root: Path) -> None:
    """Unpack every package file of a folder."""
    found = sorted(downloads.glob("*.deb"))
    if not found:
        raise SetupFailed("apt-get downloaded no package")
    root.mkdir(parents=True, exist_ok=True)
    for file in found:
        run_tool(["dpkg-deb", "-x", file, root])


def debian_keyring(folder: Path, architecture: str) -> Path:
    """Debian's public keys: this machine's, or where it is no Debian, from its own distribution's package of them."""
    here = Path("/") / KEYRING
    if here.is_file():
        return here
    Apt(folder / "own-apt", architecture, None).unpack("debian-archive-keyring", folder / "keyring")
    return folder / "keyring" / KEYRING
