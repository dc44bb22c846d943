"""HDF5 files, which NetCDF-4 and HDF-EOS5 are too: datasets of them as images; nothing that knows other files."""
