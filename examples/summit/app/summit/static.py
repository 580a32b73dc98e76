from django.conf import settings
from django.contrib.staticfiles.views import serve as serve_source
from django.http import Http404
from django.views.static import serve


def serve_collected(request, path):
    """Serve what collectstatic wrote and nothing outside it."""
    if settings.STATIC_ROOT:
        response = serve(request, path, document_root=settings.STATIC_ROOT)
        response["Cache-Control"] = "max-age=60, public"
        return response
    if settings.DEBUG:
        return serve_source(request, path)
    raise Http404("APP_STATIC_ROOT is not set")
