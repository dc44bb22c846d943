"""What libraries of arrays have a place for: numbers of bands, and the value of samples that are no measurements."""

from typing import Any

from runtime.stream.image_description import ImageDescription
from runtime.stream.special_values import IGNORED, number_of

NUMBERS_OF_BANDS = ("wavelength", "fwhm")


def band_numbers(value: Any, n_bands: int) -> list[float] | None:
    """A number of each band; None where that is not what an entry has."""
    if not isinstance(value, list) or len(value) != n_bands:
        return None
    try:
        return [float(one) for one in value]
    except (TypeError, ValueError, OverflowError):
        return None


def nodata_of(image: ImageDescription) -> int | float | None:
    """The value of samples where nothing was measured, which the sample type holds; None: none is declared."""
    voids = [special.value for _, special in image.voids]
    ignored = number_of(str(image.metadata.get(IGNORED, "")))
    if not voids:
        return None
    return ignored if ignored in voids else voids[0]
