"""`python -m engine` is `postroom`."""

from engine.cli.main import run

if __name__ == "__main__":
    run()
