"""`python -m gazeshift_training` is `gazeshift-train`; `torchrun` needs the module."""

from gazeshift_training.cli import main

if __name__ == "__main__":
    main()
