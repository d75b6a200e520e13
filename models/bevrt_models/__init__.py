"""Training, export and packaging of the merged bird's-eye-view networks that bevrt runs."""

__version__ = "0.1.0"
