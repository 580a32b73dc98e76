import logging
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

log = logging.getLogger(__name__)

RESERVED_SLUGS = ("admin", "health", "static")


def check_timezone(name):
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValidationError(f"{name} is not a time zone such as Europe/Berlin.") from None


def check_not_reserved(slug):
    if slug in RESERVED_SLUGS:
        raise ValidationError(f"{slug} is used by another page.")


# Names are never sorted by the database: collations differ between hosts, and the same data
# must give the same page on each of them. Views sort with this key instead.
def by_name(item):
    return (item.name, item.pk)


class Conference(models.Model):
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80, db_index=False, validators=[check_not_reserved])
    starts = models.DateField()
    ends = models.DateField()
    timezone = models.CharField(max_length=60, default="UTC", validators=[check_timezone])

    class Meta:
        ordering = ["-starts", "id"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="conference_slug_unique"),
            models.CheckConstraint(
                check=Q(ends__gte=F("starts")), name="conference_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["-starts", "id"], name="conference_newest_first")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("conference", args=[self.slug])

    @property
    def zone(self):
        try:
            return ZoneInfo(self.timezone)
        except (ValueError, OSError, LookupError):
            log.warning("time zone %s is unknown on this host, using UTC", self.timezone)
            return ZoneInfo("UTC")


class Track(models.Model):
    conference = models.ForeignKey(
        Conference, models.CASCADE, related_name="tracks", db_index=False
    )
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, db_index=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "slug"], name="track_slug_unique"),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("track", args=[self.conference.slug, self.slug])


class Room(models.Model):
    conference = models.ForeignKey(
        Conference, models.CASCADE, related_name="rooms", db_index=False
    )
    name = models.CharField(max_length=80)
    capacity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "name"], name="room_name_unique"),
            models.CheckConstraint(check=Q(capacity__gt=0), name="room_has_capacity"),
        ]

    def __str__(self):
        return self.name


class Slot(models.Model):
    conference = models.ForeignKey(
        Conference, models.CASCADE, related_name="slots", db_index=False
    )
    starts = models.DateTimeField()
    ends = models.DateTimeField()

    class Meta:
        ordering = ["starts", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "starts"], name="slot_start_unique"),
            models.CheckConstraint(check=Q(ends__gt=F("starts")), name="slot_ends_after_start"),
        ]

    def __str__(self):
        return f"{self.starts:%Y-%m-%d %H:%M} UTC"


class Attendee(models.Model):
    name = models.CharField(max_length=120)
    email = models.EmailField()
    handle = models.CharField("IRC handle", max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["email"], name="attendee_email_unique")]

    def __str__(self):
        return self.name

    def clean(self):
        self.email = self.email.lower()


class Meeting(models.Model):
    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        SCHEDULED = "scheduled", "Scheduled"
        CANCELLED = "cancelled", "Cancelled"

    conference = models.ForeignKey(
        Conference, models.CASCADE, related_name="meetings", db_index=False
    )
    track = models.ForeignKey(Track, models.RESTRICT, related_name="meetings")
    # Only a scheduled meeting holds a place; proposed and cancelled ones leave it free.
    slot = models.ForeignKey(
        Slot, models.RESTRICT, related_name="meetings", db_index=False, null=True, blank=True
    )
    room = models.ForeignKey(
        Room, models.RESTRICT, related_name="meetings", null=True, blank=True
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    title = models.CharField(max_length=160)
    slug = models.SlugField(max_length=80, db_index=False)
    description = models.TextField(blank=True)
    attendees = models.ManyToManyField(Attendee, through="Attendance", related_name="meetings")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "slug"], name="meeting_slug_unique"),
            models.UniqueConstraint(fields=["slot", "room"], name="meeting_place_unique"),
            # Not status__in: PostgreSQL words an IN anew when its own dump is restored, and two dumps of
            # equal databases would differ.
            models.CheckConstraint(
                check=Q(status="scheduled", slot__isnull=False, room__isnull=False)
                | Q(status="proposed", slot__isnull=True, room__isnull=True)
                | Q(status="cancelled", slot__isnull=True, room__isnull=True),
                name="meeting_place_fits_status",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("meeting", args=[self.conference.slug, self.slug])

    def clean(self):
        placed = self.slot_id is not None and self.room_id is not None
        if self.status == self.Status.SCHEDULED and not placed:
            raise ValidationError("A scheduled meeting needs a slot and a room.")
        if self.status != self.Status.SCHEDULED and (self.slot_id or self.room_id):
            raise ValidationError("Only a scheduled meeting can have a slot or a room.")
        for name in ("track", "slot", "room"):
            if getattr(self, f"{name}_id") is None:
                continue
            if getattr(self, name).conference_id != self.conference_id:
                raise ValidationError({name: f"This {name} belongs to another conference."})


class Attendance(models.Model):
    meeting = models.ForeignKey(
        Meeting, models.CASCADE, related_name="attendances", db_index=False
    )
    attendee = models.ForeignKey(Attendee, models.CASCADE, related_name="attendances")
    required = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "attendee"], name="attendance_unique"),
        ]

    def __str__(self):
        return f"{self.attendee} in {self.meeting}"
