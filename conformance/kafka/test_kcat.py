"""kcat: Debian's package."""

import json
import shutil
import subprocess

if shutil.which("kcat") is None:
    raise RuntimeError("kcat is missing: apt-get install kcat")


def kcat(kafka, *arguments, stdin=None):
    command = ["kcat", "-b", kafka, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lines_go_in_and_come_out(kafka, name):
    kcat(kafka, "-P", "-t", name, "-K", ":", stdin="a:1\nb:2\nc:3\n")
    read = kcat(kafka, "-C", "-t", name, "-e", "-q", "-f", "%k=%s@%o\n")
    assert read == "a=1@0\nb=2@1\nc=3@2\n"
    assert kcat(kafka, "-C", "-t", name, "-e", "-q", "-o", "-1") == "3\n"


def test_the_listing_names_the_topic(kafka, name):
    kcat(kafka, "-P", "-t", name, stdin="x\n")
    listed = json.loads(kcat(kafka, "-L", "-J", "-t", name))
    assert listed["topics"][0]["topic"] == name
    assert len(listed["topics"][0]["partitions"]) == 1
