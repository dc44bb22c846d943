"""Libraries that only an extra of the install brings: where one is missing, one line says which extra it is."""

import contextlib
from collections.abc import Iterator

from runtime.errors import BadArgument, one_line


@contextlib.contextmanager
def needed_for(what: str, extra: str) -> Iterator[None]:
    """Imports in the block are for `what`. Raises BadArgument where a library is not installed, or does not load."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BadArgument(f"{what} needs {error.name}, install linerwkv[{extra}]") from None
    except ImportError as error:
        raise BadArgument(f"{what}: {one_line(error)}") from None
