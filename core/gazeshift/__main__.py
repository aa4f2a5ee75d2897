"""`python -m gazeshift` is the command `gazeshift`."""

from gazeshift.cli import main

if __name__ == "__main__":
    main()
