"""``python -m encorec`` is the command ``encorec``."""

from encorec.cli import main

if __name__ == "__main__":
    main()
