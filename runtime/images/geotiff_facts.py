"""What rasterio tells of an open dataset, as a page that a stream can carry, and in words what is none of it."""

import re
import warnings
from typing import Any

from runtime.images.geotiff_page import LOSSLESS, Band, ControlPoint, Page, Tags, finite, number_text

ELSEWHERE = {"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "SUBDATASETS"}
"""Domains of tags on how samples are stored, or of what GDAL makes itself."""
UNWRITABLE_DOMAIN = re.compile("xml:|json:|COLOR_PROFILE")
"""Domains whose values rasterio gives and does not take in the same form."""


def page_of(dataset: Any) -> Page:
    """All that a page has a place for."""
    structure = dataset.tags(ns="IMAGE_STRUCTURE")
    profile = dataset.profile
    compression = str(profile.get("compress") or "").lower()
    points, points_crs = dataset.gcps
    crs = points_crs if points else dataset.crs
    predictor = structure.get("PREDICTOR", "1")
    return Page(
        bands=bands_of(dataset),
        crs=crs.to_wkt(version="WKT2_2019") if crs else "",
        transform=[] if points or not has_transform(dataset) else finite_or_none(dataset.transform[:6]),
        points=[control_point(one) for one in points],
        nodata=number_text(dataset.nodata),
        colours=colours_of(dataset),
        tags=tags_of(dataset, 0),
        block=list(dataset.block_shapes[0]),
        compression=compression if compression in LOSSLESS else "deflate",  # type: ignore[arg-type]  # of its words
        predictor=int(predictor) if predictor in ("2", "3") else 1,  # type: ignore[arg-type]  # of its numbers
        interleave="pixel" if str(profile.get("interleave")).lower() == "pixel" else "band",
    )


def bands_of(dataset: Any) -> list[Band]:
    """What belongs to each band."""
    lists = (dataset.descriptions, dataset.scales, dataset.offsets, dataset.units, dataset.colorinterp)
    return [
        Band(name or "", finite(scale, 1.0), finite(offset, 0.0), unit or "", colour.name, tags_of(dataset, index))
        for index, (name, scale, offset, unit, colour) in enumerate(zip(*lists, strict=True), start=1)
    ]


def tags_of(dataset: Any, index: int) -> Tags:
    """Of a band, or of the dataset for index 0."""
    domains = ["", *(name for name in dataset.tag_namespaces(index) if is_carried(name))]
    found = {name: dict(dataset.tags(index, ns=name or None)) for name in domains}
    return {name: tags for name, tags in found.items() if tags}


def is_carried(domain: str) -> bool:
    """Whether a stream has the tags of a domain."""
    return domain != "" and domain not in ELSEWHERE and not UNWRITABLE_DOMAIN.match(domain)


def control_point(point: Any) -> ControlPoint:
    """One of GDAL's."""
    row, column, x, y, z = (finite(one, 0.0) for one in (point.row, point.col, point.x, point.y, point.z or 0.0))
    return ControlPoint(row, column, x, y, z, str(point.id or ""), str(point.info or ""))


def has_transform(dataset: Any) -> bool:
    """Whether a transform was given, which rasterio tells of the identity by a warning alone."""
    if not dataset.transform.is_identity:
        return True
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        dataset.read_transform()
    return not told and not dataset.rpcs  # of a dataset with RPCs nothing is told


def finite_or_none(numbers: Any) -> list[float]:
    """The numbers of a transform; none where one of them is not finite."""
    found = [float(one) for one in numbers]
    return found if all(finite(one, 0.0) == one for one in found) else []


def colours_of(dataset: Any) -> str:
    """The palette of the first band, if it has one."""
    if dataset.colorinterp[0].name != "palette":
        return ""
    table = dataset.colormap(1)
    return "".join(bytes(table.get(index, (0, 0, 0, 0))).hex() for index in range(max(table) + 1))


def lost(dataset: Any) -> tuple[str, ...]:
    """What a dataset has that a page has no place for, each in a few words of ours."""
    indexes = (0, *dataset.indexes)
    masks = {flag.name for flags in dataset.mask_flag_enums for flag in flags}
    domains = {name for band in indexes for name in dataset.tag_namespaces(band)}
    domains = {name for name in domains if name not in ELSEWHERE and not is_carried(name)}
    compression = str(dataset.profile.get("compress") or "").lower()
    n_bits = {dataset.tags(band, ns="IMAGE_STRUCTURE").get("NBITS") for band in dataset.indexes} - {None}
    found = {
        "a mask": "per_dataset" in masks and "alpha" not in masks,
        "overviews": any(dataset.overviews(band) for band in dataset.indexes),
        "no-data values of single bands": len(set(map(str, dataset.nodatavals))) > 1,
        "a transform that is not finite": not finite_or_none(dataset.transform[:6]),
        f"packing of samples in {', '.join(sorted(map(str, n_bits)))} bits": n_bits,
        f"compression {compression} (restored as deflate)": compression not in LOSSLESS,
        f"metadata of domains ({', '.join(sorted(domains))})": domains,
    }
    return tuple(words for words, is_there in found.items() if is_there)
