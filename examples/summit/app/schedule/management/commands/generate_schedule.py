import json
import re
import sys
import time

from django.core.management.base import BaseCommand, CommandError

from schedule.generate import load
from schedule.generate.rows import Generator

UNITS = {
    "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4,
    "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3, "TIB": 1024**4,
}
SMALLEST = 1000**2


def parse_size(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", text.strip(), re.IGNORECASE)
    if not match:
        raise CommandError(f"--size {text}: expected a number with a unit, such as 10MB or 2GiB")
    size = int(float(match[1]) * UNITS[match[2].upper()])
    if size < SMALLEST:
        raise CommandError(f"--size {text}: the smallest size is 1MB")
    return size


class Command(BaseCommand):
    help = "Fill the schedule with generated data; the same size, seed and name give the same data."

    def add_arguments(self, parser):
        parser.add_argument("--size", default="10MB", help="approximate size in the database")
        parser.add_argument("--seed", type=int, default=42)
        parser.add_argument("--conference", default="Example Summit", metavar="NAME")
        parser.add_argument("--append", action="store_true", help="add to existing data")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args, size, seed, conference, append, json, verbosity, **options):
        wanted = parse_size(size)
        conference = " ".join(conference.split())
        if not 1 <= len(conference) <= 100:
            raise CommandError("--conference: the name must have 1 to 100 characters")
        if load.has_data() and not append:
            raise CommandError("There is data already. Use --append to add to it.")

        begun = time.monotonic()
        generator = Generator(seed, wanted, conference, load.first_ids())

        def progress():
            if verbosity and sys.stderr.isatty():
                done = (wanted - generator.left) / wanted
                self.stderr.write(f"\r{done:4.0%}", ending="")

        rows = load.load(generator, progress)
        load.finish()
        self.report(rows, wanted, seed, time.monotonic() - begun, json)

    def report(self, rows, size, seed, seconds, as_json):
        rate = size / 1000**2 / max(seconds, 0.001)
        if as_json:
            result = {"rows": rows, "total": sum(rows.values()), "size": size, "seed": seed}
            result.update(seconds=round(seconds, 3), mb_per_second=round(rate, 1))
            self.stdout.write(json.dumps(result))
            return
        for name, count in rows.items():
            self.stdout.write(f"{name:12} {count:>12}")
        self.stdout.write(f"{'total':12} {sum(rows.values()):>12}")
        self.stdout.write(f"about {size / 1000**2:.0f} MB in {seconds:.1f} s, {rate:.1f} MB/s")
