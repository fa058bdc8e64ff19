"""Tidemill beside the real systems, in one run on one machine: `cargo xtask bench`.

Every comparison alternates between the two, at a durability that is named, and gives medians with
the smallest and largest value. Throughput on a shared machine is noise; the CPU-seconds a server
spends per unit of work are the steadiest figure.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from conftest import ROOT, free_ports
from peers import cassandra, kafka, registry
from peers.process import Server

TICKS = os.sysconf("SC_CLK_TCK")
RECORD_BYTES = {"100 B": 100, "1 KB": 1000}
BATCH_BYTES = 100_000_000  # of values, per round


def cpu_seconds(pid):
    """User and system time a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def spread(values, digits=2):
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def start_tidemill(folder, *arguments, durability="fsync"):
    """The binary on the users project: server, endpoints, milliseconds until it answered."""
    project = folder / "users"
    shutil.copytree(ROOT / "examples" / "users", project, dirs_exist_ok=True)
    environment = free_ports()
    environment["TIDEMILL__BROKER__DURABILITY"] = durability
    begun = time.perf_counter()
    server = Server([os.environ["TIDEMILL_BIN"], "up", project, "--json", *arguments], folder / "node", environment)
    found = []

    def ready():
        found[:] = [line for line in server.log.read_text().splitlines() if line.startswith('{"ready"')]
        return found

    server.wait_until(ready, 30)
    return server, json.loads(found[0])["endpoints"], (time.perf_counter() - begun) * 1000


def timed(start, *arguments):
    begun = time.perf_counter()
    server, where = start(*arguments)
    return server, where, (time.perf_counter() - begun) * 1000


def compare_platform(rounds, folder):
    """Time to ready and memory: all boxes of Tidemill against the real parts, one after the other."""
    ours, memory = [], []
    for number in range(rounds):
        server, _, took = start_tidemill(folder / f"ours{number}")
        time.sleep(3)
        ours.append(took)
        memory.append(resident_mb(server.process.pid))
        server.stop()
    rows = [("Tidemill, all boxes", spread(ours, 0), spread(memory, 0))]
    total_ms = total_mb = 0
    for name, launcher in (("Kafka", kafka), ("Cassandra", cassandra), ("Apicurio Registry", registry)):
        server, _, took = timed(launcher.start, folder / name.split()[0])
        time.sleep(10)
        size = resident_mb(server.process.pid)
        server.stop()
        rows.append((name, f"{took:.0f}", f"{size:.0f}"))
        total_ms += took
        total_mb += size
    rows.append(("these three together", f"{total_ms:.0f}", f"{total_mb:.0f}"))
    ratio = (f"{total_ms / statistics.median(ours):.0f} times", f"{total_mb / statistics.median(memory):.1f} times")
    rows.append(("ratio", *ratio))
    return ("Whole platform, idle (without ZooKeeper, Airflow, Spark and Control Center on the other side)",
            ("", "ms to ready", "MB (PSS)"), rows)


def produce(address, topic, size, count):
    producer = Producer({
        "bootstrap.servers": address, "acks": "all", "linger.ms": 5, "batch.size": 131072,
        "queue.buffering.max.messages": 1_000_000, "enable.idempotence": True,
    })
    value = os.urandom(size)
    begun = time.perf_counter()
    for _ in range(count):
        while True:
            try:
                producer.produce(topic, value)
                break
            except BufferError:
                producer.poll(0.01)
    assert producer.flush(120) == 0
    return time.perf_counter() - begun


def consume(address, topic, count):
    consumer = Consumer({"bootstrap.servers": address, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest",
                         "queued.min.messages": 1_000_000, "fetch.message.max.bytes": 8_000_000})
    consumer.assign([TopicPartition(topic, 0, 0)])
    read, begun = 0, time.perf_counter()
    while read < count:
        read += len(consumer.consume(10_000, timeout=10))
    took = time.perf_counter() - begun
    consumer.close()
    return took


def compare_broker(rounds, folder):
    """librdkafka, one partition, acks=all, idempotent: records/s and server CPU-seconds per GB."""
    ours, endpoints, _ = start_tidemill(folder / "ours", "--only", "broker", durability="fsync")
    fast, fast_endpoints, _ = start_tidemill(folder / "fast", "--only", "broker", durability="page-cache")
    real, address = kafka.start(folder / "kafka")
    sides = {
        "Tidemill, fsync before ack": (ours.process.pid, endpoints["kafka"]),
        "Tidemill, page cache": (fast.process.pid, fast_endpoints["kafka"]),
        "Kafka, page cache": (real.process.pid, address),
    }
    rows = []
    for label, size in RECORD_BYTES.items():
        count = min(BATCH_BYTES // size, 500_000)
        figures = {name: {"produce": [], "fetch": [], "produce_cpu": [], "fetch_cpu": []} for name in sides}
        for number in range(rounds + 1):
            for name, (pid, where) in sides.items():
                topic = f"bench-{size}-{number}"
                admin = AdminClient({"bootstrap.servers": where})
                admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)
                gb = size * count / 1e9
                before = cpu_seconds(pid)
                wrote = produce(where, topic, size, count)
                between = cpu_seconds(pid)
                read = consume(where, topic, count)
                after = cpu_seconds(pid)
                if number == 0:
                    continue  # the JVM warms up
                figures[name]["produce"].append(count / wrote / 1000)
                figures[name]["fetch"].append(count / read / 1000)
                figures[name]["produce_cpu"].append((between - before) / gb)
                figures[name]["fetch_cpu"].append((after - between) / gb)
        for name, each in figures.items():
            rows.append((f"{name}, {label}", spread(each["produce"], 0), spread(each["produce_cpu"]),
                         spread(each["fetch"], 0), spread(each["fetch_cpu"])))
    memory = ", ".join(f"{name} {resident_mb(pid):.0f} MB" for name, (pid, _) in sides.items())
    for server in (ours, fast, real):
        server.stop()
    return (f"Broker, librdkafka, one partition, acks=all (memory afterwards: {memory})",
            ("", "produce, 1000/s", "CPU s/GB", "fetch, 1000/s", "CPU s/GB"), rows)


def compare_line(rounds, folder):
    """Produced to readable in the table, durable at every hop: the demo's own figures."""
    rows = []
    for rate in (20, 200):
        p50, p99, memory = [], [], []
        for number in range(rounds):
            command = [os.environ["TIDEMILL_BIN"], "--json", "demo", "--dir", folder / f"line{rate}-{number}",
                       "--for", "10s", "--rate", str(rate)]
            environment = os.environ | free_ports()
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True, env=environment)
            result = json.loads(done.stdout.splitlines()[-1])["result"]
            p50.append(result["latency_ms"]["p50"])
            p99.append(result["latency_ms"]["p99"])
            memory.append(result["memory_mb"])
        rows.append((f"{rate} records/s", spread(p50, 1), spread(p99, 1), spread(memory, 0)))
    return "The line, produced to readable", ("", "p50 ms", "p99 ms", "MB resident"), rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commit", default="unknown")
    options = parser.parse_args()
    comparisons = {"platform": compare_platform, "broker": compare_broker, "line": compare_line}
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = [
        f"# {now:%Y-%m-%d}, commit {options.commit}", "",
        f"Command: `cargo xtask bench {' '.join(options.what)} --rounds {options.rounds}`".replace("  ", " "), "",
        f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f} at the start.",
        "Figures are medians (smallest to largest).",
    ]
    for name in options.what or comparisons:
        with tempfile.TemporaryDirectory() as folder:
            title, header, rows = comparisons[name](options.rounds, pathlib.Path(folder))
        lines += ["", f"## {title}", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        print("\n".join(lines[-len(rows) - 4:]), flush=True)
    file = ROOT / "bench" / "results" / f"{now:%Y-%m-%d-%H%M}-{'-'.join(options.what) or 'all'}.md"
    file.write_text("\n".join(lines) + "\n")
    print(f"\nwritten: {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
