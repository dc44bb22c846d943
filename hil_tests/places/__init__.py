"""Where modules of the runtime run, and how such places are set up: folders, tools, wheels, environments."""
