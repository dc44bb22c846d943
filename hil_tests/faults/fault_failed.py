"""How a fault's trial ends when it does not pass."""

from runtime.errors import LineRwkvError


class FaultFailed(LineRwkvError):
    """Something that was accepted is lost or wrong, or what follows the fault does not start clean."""


class NotPossible(LineRwkvError):
    """This target has not what the fault needs."""
