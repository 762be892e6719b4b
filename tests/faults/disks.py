"""Small disks of a fault's own: one in memory, one in a file; only root can mount them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from faults.ground import NotHere


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk in memory; raises `NotHere` where that is not possible."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


def fill(ballast: Path) -> None:
    """Write until the disk is full."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@dataclass
class FileDisk:
    """A disk with ext4 in the file `image`, mounted at `folder`."""

    image: Path
    folder: Path

    def mount(self) -> None:
        """Mount it; its journal is played back, as after a power cut."""
        _mount("-o", "loop,errors=remount-ro", str(self.image), str(self.folder))

    def unmount(self) -> None:
        _unmount(self.folder)

    def become_read_only(self) -> None:
        """Let the file system stop all writing, as it does where the disk fails."""
        _mount("-o", "remount,abort", str(self.folder))

    def repair(self) -> None:
        """Check the file system as it is checked at the start of a machine; not mounted."""
        done = subprocess.run(
            _found("e2fsck", "-f", "-y", str(self.image)), capture_output=True, check=False
        )
        assert done.returncode <= 1, done

    def cut_power(self) -> None:
        """Let the disk forget what was not written to it: what it holds now is all there is.

        Whoever wrote must be stopped before and gone afterwards; `unmount` belongs in between.
        """
        copy = self.image.with_suffix(".copy")
        command = ("cp", "--sparse=always", str(self.image), str(copy))
        subprocess.run(command, check=True)

    def return_as_it_was(self) -> None:
        """Take what the disk held when the power was cut; not mounted."""
        self.image.with_suffix(".copy").replace(self.image)


@contextmanager
def file_disk(folder: Path, megabytes: int) -> Iterator[FileDisk]:
    """Make and mount a disk in a file; raises `NotHere` where that is not possible."""
    folder.mkdir()
    disk = FileDisk(folder.with_suffix(".img"), folder)
    with disk.image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    try:
        subprocess.run(_found("mkfs.ext4", "-q", "-F", str(disk.image)), check=True)
        disk.mount()
        try:
            yield disk
        finally:
            if folder.is_mount():
                disk.unmount()
    finally:
        disk.image.unlink()


def _found(program: str, *arguments: str) -> list[str]:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise NotHere(f"{program} is not installed")
    return [path, *arguments]


def _mount(*arguments: str) -> None:
    if os.geteuid() != 0:
        raise NotHere("only root can mount a disk")
    done = subprocess.run(_found("mount", *arguments), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotHere(f"a disk cannot be mounted here: {done.stderr.strip()}")


def _unmount(folder: Path) -> None:
    subprocess.run(_found("umount", "--lazy", str(folder)), check=True)
