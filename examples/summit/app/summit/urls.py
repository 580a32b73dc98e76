from django.contrib import admin
from django.urls import include, path

from . import static

urlpatterns = [
    path("static/<path:path>", static.serve_collected),
    path("admin/", admin.site.urls),
    path("", include("schedule.urls")),
]
