"""Write generated rows with COPY on PostgreSQL and with bulk_create elsewhere."""

import io

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max

from ..models import Attendance, Attendee, Conference, Meeting, Room, Slot, Track
from .rows import COLUMNS

# In an order that never refers to a row which comes later.
MODELS = {
    "conference": Conference,
    "track": Track,
    "room": Room,
    "slot": Slot,
    "attendee": Attendee,
    "meeting": Meeting,
    "attendance": Attendance,
}

# Conferences per transaction, about 0.6 MB each.
BATCH_CONFERENCES = 8


def counts():
    return {name: model.objects.count() for name, model in MODELS.items()}


def has_data():
    return any(model.objects.exists() for model in MODELS.values())


def first_ids():
    return {
        name: (model.objects.aggregate(last=Max("id"))["last"] or 0) + 1
        for name, model in MODELS.items()
    }


def load(batches, progress):
    """Write all batches and return the number of rows per table."""
    write = copy if connection.vendor == "postgresql" else create
    total = dict.fromkeys(MODELS, 0)
    waiting = empty()
    for number, batch in enumerate(batches, start=1):
        for name, rows in batch.items():
            waiting[name] += rows
            total[name] += len(rows)
        if number % BATCH_CONFERENCES == 0:
            write(waiting)
            waiting = empty()
            progress()
    write(waiting)
    return total


def empty():
    return {name: [] for name in MODELS}


def copy(batch):
    with transaction.atomic(), connection.cursor() as cursor:
        # Checked after each COPY, foreign keys take less time and memory than at the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # No wait for the disk per batch: the last transaction, in finish(), waits for all.
        cursor.execute("SET LOCAL synchronous_commit = off")
        for name, model in MODELS.items():
            lines = ["\t".join(map(encode, row)) for row in batch[name]]
            lines.append("")
            columns = ", ".join(COLUMNS[name])
            cursor.copy_expert(
                f"COPY {model._meta.db_table} ({columns}) FROM STDIN",
                io.BytesIO("\n".join(lines).encode()),
                1 << 20,
            )


def encode(value):
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value:
            value = value.replace("\\", "\\\\")
        return value.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return str(value)


def create(batch):
    with transaction.atomic():
        for name, model in MODELS.items():
            columns = COLUMNS[name]
            model.objects.bulk_create(
                (model(**dict(zip(columns, row))) for row in batch[name]), batch_size=500
            )


def finish():
    """Let sequences continue after the written ids and give the planner fresh statistics."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(MODELS.values())):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            tables = ", ".join(model._meta.db_table for model in MODELS.values())
            cursor.execute(f"ANALYZE {tables}")
