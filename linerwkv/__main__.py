"""`python -m linerwkv` is the command `linerwkv`."""

from runtime.commands.cli import main

if __name__ == "__main__":
    main()
