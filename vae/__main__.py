"""`python -m vae`."""

import sys

from vae.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
