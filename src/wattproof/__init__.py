"""WattProof: every watt-hour and every gram is a signed record that anyone may check."""

__all__ = ["__version__"]

__version__ = "0.1.0"
