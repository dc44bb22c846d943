"""The ground's ways to a stream: xarray, Zarr, archives; each needs libraries of the extra `ground`."""
