"""Curator (Java): mutex, leader, persistent node, cache with persistent recursive watches."""

import pathlib
import shutil
import subprocess

from peers import zookeeper as peer

if shutil.which("javac") is None or shutil.which("mvn") is None:
    raise RuntimeError("Curator needs javac and mvn: apt-get install openjdk-17-jdk-headless maven")


def test_curators_recipes_work(zookeeper, name):
    folder = peer.compiled(pathlib.Path(__file__).parent / "Recipes.java")
    done = subprocess.run(peer.java(folder, "Recipes", zookeeper, name), capture_output=True, text=True, timeout=120)
    works = [line for line in done.stdout.splitlines() if line.endswith(" works")]
    assert works == ["mutex works", "leader works", "persistent works", "cache works"], done.stdout + done.stderr
