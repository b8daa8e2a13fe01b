"""What `python -m mmoe.datasets` can do, one module a command."""
