from django.conf import settings


def deployment(request):
    return {
        "app_revision": settings.APP_REVISION,
        "theme_label": settings.THEME_LABEL,
        "theme_revision": settings.THEME_REVISION,
        "environment_name": settings.SUMMIT_ENVIRONMENT,
    }
