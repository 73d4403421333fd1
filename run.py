#!/usr/bin/env python3
"""Seminars on one machine: `python3 run.py` starts it, `python3 run.py test` checks it. Needs Python and git, nothing else.

    run.py [run --no-demo]  install what is missing, start everything, print where it is; Ctrl-C stops it
    run.py test [pytest …]  everything that must hold: style, types, import contracts, migrations, all tests
    run.py check            the part of that which takes less than a minute
    run.py bench [name]     measure; without a name, list the programs
    run.py prove [name] [--full]   try to break it; without a name, list the programs
    run.py reset [--yes]    throw this checkout's data away
"""

# Older Pythons must be able to read this file, or they could not say what they lack: no new syntax here.
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
PYTHON = os.path.join(BIN, "python")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "installed")
OLDEST = (3, 11)
PROGRAMS = {"bench": "benchmarks", "prove": "proofs"}


def main(words: "list[str]") -> int:
    """Do what was asked; the exit code."""
    verb, rest = (words[0], words[1:]) if words else ("run", [])
    if verb in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if verb not in ("run", "test", "check", "bench", "prove", "reset"):
        sys.exit("There is no «" + verb + "». " + str(__doc__))
    refuse_unfit_python()
    os.chdir(ROOT)
    install()
    os.environ["PATH"] = BIN + os.pathsep + os.environ.get("PATH", "")
    if verb == "run":
        become("seminars.local.supervisor", rest)
    if verb == "reset":
        become("seminars.local.reset", rest)
    if verb in PROGRAMS:
        return run_program(PROGRAMS[verb], rest)
    return check(CHECKS) if verb == "check" else test(rest)


def refuse_unfit_python() -> None:
    """One sentence for each Python that cannot do it."""
    if sys.version_info < OLDEST:
        this = sys.version.split()[0]
        sys.exit("Seminars needs Python %d.%d or newer, not %s. Start it with such a one: python3.13 run.py" % (*OLDEST, this))
    if sys.platform == "win32":
        sys.exit("Seminars runs on Linux and macOS: on Windows, start it inside WSL.")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sys.exit("This Python lacks the module ensurepip: on Debian or Ubuntu, apt-get install python3-venv brings it.")


def install() -> None:
    """Make .venv hold exactly what requirements.lock names, unless it does already."""
    with alone():
        wanted = stamp()
        if read(STAMP) == wanted and os.path.exists(PYTHON):
            return
        refuse_borrowed_environment()
        began = time.monotonic()
        print("Installing into .venv what requirements.lock names; this happens once.", flush=True)
        make_venv()
        with contextlib.suppress(FileNotFoundError):
            os.remove(STAMP)
        if not install_with_uv():
            print("uv could not; pip can, more slowly.", flush=True)
            call([PYTHON, "-m", "ensurepip"], quiet=True)
            must([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", LOCK])
        put_command()
        with open(STAMP, "w") as file:
            file.write(wanted)
        print("Installed in %.0f s." % (time.monotonic() - began), flush=True)


@contextlib.contextmanager
def alone() -> "Iterator[None]":
    """Two starts at once install one after the other."""
    import fcntl

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def stamp() -> str:
    """What .venv was made of: the lock, this Python, and the place, which its scripts have written into them."""
    with open(LOCK, "rb") as file:
        return hashlib.sha256(b"\0".join([file.read(), sys.version.encode(), ROOT.encode()])).hexdigest()


def refuse_borrowed_environment() -> None:
    """Installing begins with emptying .venv: through a link, that would empty the environment of another checkout."""
    if os.path.islink(VENV):
        sys.exit("%s is a link to %s, which belongs to another checkout. Remove the link; run.py makes an environment of this one's own."
                 % (VENV, os.path.realpath(VENV)))


def make_venv() -> None:
    """A fresh environment, where there is none that this very Python made in this very place."""
    made_by = read(os.path.join(VENV, "made-by"))
    us = sys.version + "\0" + ROOT
    if made_by == us and os.path.exists(PYTHON):
        return
    # By a process of its own: a broken ensurepip is then told in its words, not in a traceback of ours.
    must([sys.executable, "-m", "venv", "--clear", VENV])
    with open(os.path.join(VENV, "made-by"), "w") as file:
        file.write(us)


def install_with_uv() -> bool:
    """Quick, and it removes what the lock no longer names. uv itself is in the lock, so it stays."""
    uv, pip = os.path.join(BIN, "uv"), [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if not os.path.exists(uv):
        wanted = os.path.join(VENV, "uv.lock")
        with open(wanted, "w") as file:
            file.write(locked("uv"))
        if call([*pip, "install", "--no-deps", "--require-hashes", "-r", wanted]):
            return False
    # The system's certificates: those of uv itself know nothing of a company's proxy.
    return call([uv, "pip", "sync", "--quiet", "--system-certs", "--python", PYTHON, "--require-hashes", LOCK]) == 0


def locked(name: str) -> str:
    """The lines of the lock about one package, with their hashes."""
    with open(LOCK) as file:
        lines = file.read().replace("\\\n", "\0").splitlines()
    return "\n".join(line.replace("\0", "\\\n") for line in lines if line.startswith(name + "=="))


def put_command() -> None:
    """.venv/bin/seminars runs this checkout."""
    script = os.path.join(BIN, "seminars")
    with open(script, "w") as file:
        file.write("#!%s\nimport sys\nsys.path.insert(0, %r)\nfrom seminars.cli import main\nmain()\n" % (PYTHON, ROOT))
    os.chmod(script, 0o755)  # noqa: S103  a command is for everybody who may see the folder


# Everything that must hold besides the tests, as (name, command).
CHECKS = [
    ("style", ["ruff", "check", "--output-format", "concise", "."]),
    ("types", ["mypy"]),
    ("contracts", ["lint-imports", "--no-logo"]),
    ("building", ["pytest", "-q", "tests/building"]),
]


def check(checks: "list[tuple[str, list[str]]]") -> int:
    """Run all of them, whatever fails; then say which did."""
    failed = [name for name, command in checks if not passes(name, command)]
    if failed:
        print("\nFailed: " + ", ".join(failed) + ".", flush=True)
    return 1 if failed else 0


def test(rest: "list[str]") -> int:
    """What CI runs. Words after `test` go to pytest, which then runs alone."""
    if rest:
        return call(["pytest", *rest])
    everything = ["pytest", "-q", "-n", str(min(os.cpu_count() or 2, 8)), "--dist", "loadgroup"]
    return check([*CHECKS[:-1], ("tests", everything)])


def passes(name: str, command: "list[str]") -> bool:
    began = time.monotonic()
    print("\n== " + name, flush=True)
    code = call(command)
    print("== %s %s in %.0f s%s" % (name, "failed" if code else "passed", time.monotonic() - began,
                                    ": no test was found" if code == 5 and command[0] == "pytest" else ""), flush=True)
    return code == 0


def run_program(folder: str, rest: "list[str]") -> int:
    """Run one of the programs in a folder, or list them with what they do."""
    files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    names = [file[:-3] for file in files if file.endswith(".py") and not file.startswith("_")]
    if rest and rest[0] in names:
        return call([PYTHON, "-m", folder + "." + rest[0], *rest[1:]])
    if rest:
        print("There is no «" + rest[0] + "» in " + folder + "/.")
    for name in names:
        print("  %-24s %s" % (name, first_line(os.path.join(folder, name + ".py"))))
    return 1 if rest else 0


def first_line(path: str) -> str:
    return read(path).strip().split("\n")[0].strip('"')


def become(module: str, rest: "list[str]") -> None:
    """Go on as another program, which gets our terminal and our signals."""
    os.execv(PYTHON, [PYTHON, "-m", module, *rest])


def call(command: "list[str]", quiet: bool = False) -> int:
    found = shutil.which(command[0]) or command[0]
    return subprocess.call([found, *command[1:]], stdout=subprocess.DEVNULL if quiet else None)


def must(command: "list[str]") -> None:
    if call(command):
        sys.exit("This failed: " + " ".join(command) + "\nWhat is above says why; then start run.py again.")


def read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
