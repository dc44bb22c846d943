"""A realistic synthetic pushbroom scene: material spectra mixed over terrain, lit, seen through air by a real detector.

Nothing of it comes from a measured image; everything follows from the seed.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SHORTEST_NM = 420.0
LONGEST_NM = 2450.0
# centre and width in nm, depth: oxygen and water vapour between the sun and the sensor
ABSORPTIONS = ((762, 8, 0.6), (940, 30, 0.55), (1130, 40, 0.6), (1380, 60, 0.93), (1880, 80, 0.95), (2010, 25, 0.4))
BLACK_BODY_K = 5800.0
FULL_WELL_ELECTRONS = 400_000.0
READ_NOISE_ELECTRONS = 80.0
DARK_COUNTS = 180.0
BIT_DEPTH = 13


def smooth_noise(generator: np.random.Generator, shape: tuple[int, int], slope: float) -> FloatArray:
    """A random field with a power spectrum that falls as frequency**-slope, mean 0, deviation 1."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1]), indexing="ij"))
    frequency[0, 0] = np.inf
    spectrum = frequency ** (-slope / 2) * np.exp(2j * np.pi * generator.random(frequency.shape))
    field: FloatArray = np.fft.irfft2(spectrum, shape)
    field -= field.mean()
    return field / max(1e-12, float(field.std()))


def material_spectra(generator: np.random.Generator, wavelength: FloatArray, n_materials: int) -> FloatArray:
    """Reflectances (M, Z): broad slopes with a few features each; the first is vegetation, the second water."""
    position = (wavelength - SHORTEST_NM) / (LONGEST_NM - SHORTEST_NM)
    spectra = []
    for _ in range(n_materials):
        reflectance = generator.uniform(0.05, 0.4) + generator.uniform(-0.1, 0.3) * position
        for _ in range(4):
            centre, width = generator.uniform(450, 2400), generator.uniform(40, 250)
            reflectance += generator.uniform(-0.12, 0.08) * np.exp(-(((wavelength - centre) / width) ** 2))
        spectra.append(np.clip(reflectance, 0.01, 0.8))
    red_edge = 1 / (1 + np.exp(-(wavelength - 715) / 15))
    water_bands = ((1450, 90), (1940, 120), (2500, 300))
    leaf_water = 1 - 0.45 * sum(np.exp(-(((wavelength - c) / w) ** 2)) for c, w in water_bands)
    spectra[0] = (0.04 + 0.05 * np.exp(-(((wavelength - 550) / 40) ** 2)) + 0.4 * red_edge) * leaf_water
    spectra[1] = 0.01 + 0.06 * np.exp(-(wavelength - SHORTEST_NM) / 180)
    return np.array(spectra)


def band_signal(wavelength: FloatArray) -> FloatArray:
    """Relative electrons per unit reflectance (Z,): sunlight, air, detector; 1 at the brightest band."""
    metres = wavelength * 1e-9
    sunlight = metres**-4 / (np.exp(1.4388e-2 / (metres * BLACK_BODY_K)) - 1)  # photons
    air = np.ones_like(wavelength)
    for centre, width, depth in ABSORPTIONS:
        air *= 1 - depth * np.exp(-(((wavelength - centre) / width) ** 2))
    detector = 0.4 + 0.6 * np.exp(-(((wavelength - 1100) / 900) ** 2))
    signal: FloatArray = sunlight * air * detector
    return signal / float(signal.max())


def wavelengths(n_bands: int) -> FloatArray:
    """Band centres in nm, (Z,)."""
    return np.linspace(SHORTEST_NM, LONGEST_NM, n_bands)


def synthetic_lines(
    n_lines: int, n_bands: int, n_columns: int, generator: np.random.Generator
) -> Iterator[npt.NDArray[np.uint16]]:
    """Lines (Z, X) of detector counts, 0 <= count < 2**13, one at a time as the sensor flies.

    Terrain sets shading and materials; a gain and an offset of each column and band stripe the image along the flight
    direction; shot noise follows the signal, read noise is constant.
    """
    wavelength = wavelengths(n_bands)
    spectra = material_spectra(generator, wavelength, 6)
    shape = (n_lines, n_columns)
    terrain = smooth_noise(generator, shape, 3.2)
    shading = 1 + 0.25 * np.clip(np.gradient(terrain, axis=1) if n_columns > 1 else 0 * terrain, -1.5, 1.5)
    places = np.stack([smooth_noise(generator, shape, 2.6) + 0.6 * terrain * sign for sign in (1, -1, 0, 0.5, -0.5, 0)])
    abundance = np.exp(3 * places)
    abundance /= abundance.sum(axis=0)  # (M, Y, X)
    texture = 1 + 0.04 * smooth_noise(generator, shape, 1.2)
    signal = band_signal(wavelength)
    haze = 0.03 * (wavelength / SHORTEST_NM) ** -2.5
    gain = 1 + 0.008 * generator.standard_normal((n_bands, n_columns))
    offset = 3 * generator.standard_normal((n_bands, n_columns))
    counts_per_electron = ((1 << BIT_DEPTH) - 1 - DARK_COUNTS) / FULL_WELL_ELECTRONS
    for y in range(n_lines):
        reflectance = spectra.T @ abundance[:, y]  # (Z, X)
        light = signal[:, None] * (reflectance * shading[y] * texture[y] + haze[:, None])
        electrons = np.clip(light * 1.6 * FULL_WELL_ELECTRONS, 0, FULL_WELL_ELECTRONS)
        noise = np.sqrt(electrons + READ_NOISE_ELECTRONS**2) * generator.standard_normal(electrons.shape)
        counts = (electrons + noise) * counts_per_electron * gain + DARK_COUNTS + offset
        yield np.clip(np.rint(counts), 0, (1 << BIT_DEPTH) - 1).astype(np.uint16)
