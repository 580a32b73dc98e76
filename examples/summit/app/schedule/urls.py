from django.urls import path

from . import views

urlpatterns = [
    path("", views.conferences, name="conferences"),
    path("<slug:conference>/", views.schedule, name="conference"),
    path("<slug:conference>/meeting/<slug:meeting>/", views.meeting, name="meeting"),
    path("<slug:conference>/track/<slug:track>/", views.track, name="track"),
]
