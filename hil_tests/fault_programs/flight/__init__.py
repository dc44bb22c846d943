"""A flight in small, on whatever machine it runs: an imager, the recorder, faults, and what came of every line.

Needs the runtime alone; `linerwkv hil fly` starts it and draws what it found.
"""
