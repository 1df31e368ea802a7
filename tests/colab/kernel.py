"""Starts a kernel as Colab does: with google.colab loaded before the first cell runs."""

import sys
from types import ModuleType


def main() -> None:
    """Start the kernel; --no-colab gives the same versions on a reader's own machine."""
    sys.path.pop(0)  # this folder: a chapter stands alone
    if "--no-colab" in sys.argv:
        sys.argv.remove("--no-colab")
    else:
        google, colab = ModuleType("google"), ModuleType("google.colab")
        google.colab = colab
        sys.modules |= {"google": google, "google.colab": colab}
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
