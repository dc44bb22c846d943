"""A page of a title and a few sections, in one file that fetches nothing."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from hil_tests.report.page import HERE, STYLE
from runtime.whole_output import replacing

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_short_page(path: Path, kicker: str, title: str, about: str, sections: Sequence[tuple[str, str]]) -> None:
    """Write a page by whole replacement. sections: heading, and HTML; of one without HTML nothing is written."""
    style = (HERE / STYLE).read_text(encoding="utf-8")
    lines = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title><style>{style}</style></head><body><header>",
        f"<p class='kicker'>{escape(kicker)}</p><h1>{escape(title)}</h1>",
        f"<p class='about'>{escape(about)}</p></header>",
        *(f"<section><h2>{escape(heading)}</h2>{text}</section>" for heading, text in sections if text),
        "</body></html>",
    ]
    with replacing(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def html_table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with equal keys."""

    def cell(value: Any) -> str:
        text = value if isinstance(value, str) else f"{value:.4g}"
        return f"<td>{escape(text)}</td>"

    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(cell(value) for value in row.values())}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
