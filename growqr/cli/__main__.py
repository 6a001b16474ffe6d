"""`python -m growqr.cli`: the same as the `growqr` command."""

from growqr.cli import main

if __name__ == "__main__":
    main()
