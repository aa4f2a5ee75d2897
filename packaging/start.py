"""Entry of the packaged program."""

from gazeshift.cli import main

if __name__ == "__main__":
    main()
