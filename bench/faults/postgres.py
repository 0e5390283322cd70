"""A PostgreSQL server of the run's own, made from the programs that are installed, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

BOUND = 60.0
"""Seconds that no program of the server's takes."""

NAME = "turnwise"


class Postgres:
    """A server that can be stopped and started again. It listens on a socket in its folder, and at an address if one
    is given: with the network that may reach it, such as `10.0.0.0/24`."""

    def __init__(self, address: str = "", network: str = "", port: int = 5432) -> None:
        self._programs = _find_programs()
        self._user = _unprivileged()
        self._address, self._port = address, port
        self.folder = Path(tempfile.mkdtemp(prefix="turnwise-faults-pg-"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "--no-sync", "--auth=trust", f"--username={NAME}", "--encoding=UTF8", "--no-locale")
        if network:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {network} trust\n")

    @property
    def address(self) -> str:
        """Where it listens, beside its socket. Empty: nowhere."""
        return self._address

    @property
    def url(self) -> str:
        """Where processes reach it."""
        if self._address:
            return f"postgresql://{NAME}@{self._address}:{self._port}/{NAME}"
        return f"postgresql://{NAME}@/{NAME}?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='{self._address}' -p {self._port} -k {self.folder} -c max_connections=200"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder}/log", "--options", options)

    def stop(self, mode: str = "fast") -> None:
        """End it: `fast`, as an administrator does, or `immediate`, as a crash would."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def make_database(self) -> None:
        """Make the database that `url` names."""
        self.execute(f"CREATE DATABASE {NAME} TEMPLATE template0", database="postgres")

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder)

    def execute(self, statement: str, database: str = NAME) -> list[list[str]]:
        """The rows of a statement."""
        address = (f"--host={self.folder}", f"--port={self._port}", f"--username={NAME}", f"--dbname={database}")
        shell = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=|")
        said = self._run("psql", *address, *shell, "-c", statement)
        return [line.split("|") for line in said.splitlines()]

    def _run(self, program: str, *arguments: str) -> str:
        """Run a program of the server's, which refuses to be root."""
        starts = program == "pg_ctl"  # what is started keeps what it inherits: no pipe of ours, which would never end
        done = subprocess.run(
            [self._programs / program, *arguments],
            env={"PGDATA": f"{self.folder}/data", "PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.folder,
            user=None if self._user is None else self._user.pw_uid,
            group=None if self._user is None else self._user.pw_gid,
            extra_groups=None if self._user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if starts else subprocess.PIPE,
            stderr=subprocess.DEVNULL if starts else subprocess.PIPE,
            text=True,
            timeout=BOUND,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or 'see its log in ' + str(self.folder)}")
        return (done.stdout or "").strip()


def _find_programs() -> Path:
    """Where the server's programs are: in the PATH, or where Debian has those of its newest version."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not versions:
        raise SystemExit("PostgreSQL's server is not installed; try --store sqlite")
    return max(versions, key=lambda path: int(path.parent.name))


def _unprivileged() -> pwd.struct_passwd | None:
    """Who the server runs as. None: as whoever runs this."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
