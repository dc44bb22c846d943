"""paper.html: the answer, the curves, the cost and how all of it was made, as one self-contained page."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from export.paper import printed
from export.paper.picture import rate_distortion
from export.paper.record import Record
from runtime.whole_output import replacing

HERE = Path(__file__).parent
TEMPLATE, STYLE = "page.html.jinja", "page.css"


def figure(value: float | None, digits: int) -> str:
    """A count whole, another number with so many digits that matter; a dash where there is none."""
    if value is None:
        return "\u2013"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def fixed(value: float | None, decimals: int) -> str:
    """A number with so many decimals; a dash where there is none."""
    return "\u2013" if value is None else f"{value:,.{decimals}f}"


def page_of(record: Record) -> str:
    """The text of the page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "fixed": fixed}
    values: dict[str, Any] = {
        "record": record,
        "printed": printed,
        "picture": rate_distortion(record.curves),
        "style": (HERE / STYLE).read_text(encoding="utf-8"),
    }
    return environment.get_template(TEMPLATE).render(values)


def write_page(record: Record, path: Path) -> None:
    """Write the page by whole replacement. Raises BadArgument."""
    with replacing(path) as part:
        part.write_text(page_of(record), encoding="utf-8")
