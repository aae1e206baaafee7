"""`python -m backpass`, for where the command is not on the path."""

from backpass.cli import main

if __name__ == "__main__":
    main(prog_name="backpass")
