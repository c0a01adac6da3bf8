"""`python -m cmgtrail` is the command `cmgtrail`."""

from cmgtrail.cli import main

main()
