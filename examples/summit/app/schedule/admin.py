from django.contrib import admin

from .models import Attendance, Attendee, Conference, Meeting, Room, Slot, Track


class LargeTableAdmin(admin.ModelAdmin):
    # Counting and drop-downs over millions of rows would make the admin unusable.
    show_full_result_count = False
    list_per_page = 50


class AttendanceInline(admin.TabularInline):
    model = Attendance
    raw_id_fields = ["attendee"]
    extra = 1


@admin.register(Conference)
class ConferenceAdmin(LargeTableAdmin):
    list_display = ["name", "starts", "ends", "timezone"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["slug"]


@admin.register(Track)
class TrackAdmin(LargeTableAdmin):
    list_display = ["name", "conference"]
    list_select_related = ["conference"]
    prepopulated_fields = {"slug": ["name"]}
    raw_id_fields = ["conference"]


@admin.register(Room)
class RoomAdmin(LargeTableAdmin):
    list_display = ["name", "conference", "capacity"]
    list_select_related = ["conference"]
    raw_id_fields = ["conference"]


@admin.register(Slot)
class SlotAdmin(LargeTableAdmin):
    list_display = ["starts", "ends", "conference"]
    list_select_related = ["conference"]
    raw_id_fields = ["conference"]


@admin.register(Meeting)
class MeetingAdmin(LargeTableAdmin):
    list_display = ["title", "conference", "status", "slot", "room"]
    list_filter = ["status"]
    list_select_related = ["conference", "slot", "room"]
    prepopulated_fields = {"slug": ["title"]}
    raw_id_fields = ["conference", "track", "slot", "room"]
    search_fields = ["slug"]
    inlines = [AttendanceInline]


@admin.register(Attendee)
class AttendeeAdmin(LargeTableAdmin):
    list_display = ["name", "email", "handle"]
    search_fields = ["email"]
