"""`python -m harness` is `peftbench`."""

from harness.cli import app

if __name__ == "__main__":
    app()
