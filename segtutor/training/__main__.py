"""`python -m segtutor.training`: see `segtutor.training.cli`."""

from segtutor.training.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
