from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from .models import Conference, Meeting, Track, by_name
from .pages import page
from .timetable import days

CONFERENCES_PER_PAGE = 50


@page
def conferences(request):
    pages = Paginator(Conference.objects.all(), CONFERENCES_PER_PAGE)
    number = request.GET.get("page", "1")
    if not number.isdecimal() or not 1 <= int(number) <= pages.num_pages:
        raise Http404("no such page")
    return render(request, "schedule/conferences.html", {"page": pages.page(int(number))})


@page
def schedule(request, conference):
    found = get_object_or_404(Conference, slug=conference)
    # Descriptions are most of the data and are not shown in the table.
    meetings = list(
        found.meetings.filter(status=Meeting.Status.SCHEDULED)
        .select_related("track")
        .defer("description")
    )
    context = {
        "conference": found,
        "tracks": sorted(found.tracks.all(), key=by_name),
        "days": days(found, meetings),
        "meeting_count": len(meetings),
    }
    with timezone.override(found.zone):
        return render(request, "schedule/schedule.html", context)


@page
def meeting(request, conference, meeting):
    found = get_object_or_404(
        Meeting.objects.select_related("conference", "track", "room", "slot"),
        conference__slug=conference,
        slug=meeting,
    )
    attendances = sorted(
        found.attendances.select_related("attendee"),
        key=lambda item: (not item.required, by_name(item.attendee)),
    )
    context = {"conference": found.conference, "meeting": found, "attendances": attendances}
    with timezone.override(found.conference.zone):
        return render(request, "schedule/meeting.html", context)


@page
def track(request, conference, track):
    found = get_object_or_404(
        Track.objects.select_related("conference"), conference__slug=conference, slug=track
    )
    meetings = found.meetings.select_related("slot", "room").defer("description")
    placed = [item for item in meetings if item.slot]
    context = {
        "conference": found.conference,
        "track": found,
        "placed": sorted(placed, key=lambda item: (item.slot.starts, by_name(item.room))),
        "others": sorted(
            (item for item in meetings if not item.slot), key=lambda item: (item.title, item.pk)
        ),
    }
    with timezone.override(found.conference.zone):
        return render(request, "schedule/track.html", context)
