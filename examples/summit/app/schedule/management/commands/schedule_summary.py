import json

from django.core.management.base import BaseCommand

from schedule.generate.load import counts


class Command(BaseCommand):
    help = "Print how many rows each table of the schedule has."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args, **options):
        rows = counts()
        if options["json"]:
            self.stdout.write(json.dumps({"rows": rows, "total": sum(rows.values())}))
            return
        for name, count in rows.items():
            self.stdout.write(f"{name:12} {count:>12}")
        self.stdout.write(f"{'total':12} {sum(rows.values()):>12}")
